#include "core/peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace reuseport {
namespace {

// What the kernel starts with: DEFAULT_OVERFLOWUID (linux/highuid.h).
constexpr uint32_t kUsualOverflowUid = 65534;

// Longer than the one line of a map of all users, "0 0 4294967295" in columns.
constexpr size_t kLongestText = 64;

uint32_t OverflowUid(const Sys& sys) {
  char text[kLongestText] = "";
  if (sys.read_file("/proc/sys/kernel/overflowuid", text, sizeof(text) - 1) <= 0) return kUsualOverflowUid;
  return static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

// Whether a uid_map is this one line and no other.
bool MapsEveryUserToItself(const char* text) {
  constexpr unsigned long long kMap[] = {0, 0, UINT32_MAX};
  char* rest = const_cast<char*>(text);
  for (const unsigned long long wanted : kMap) {
    char* const from = rest;
    if (std::strtoull(from, &rest, 10) != wanted || rest == from) return false;
  }
  return *rest == '\n' && rest[1] == '\0';
}

// By real and saved user ids, which the kernel compares as they are outside of any namespace (kill(2)).
bool MaySignal(const Sys& sys, int pid) {
  return pid > 0 && sys.kill(pid, 0) == 0;
}

}  // namespace

bool IsUidAmbiguous(const Sys& sys) {
  if (geteuid() != OverflowUid(sys)) return false;
  char map[kLongestText] = "";
  const ssize_t length = sys.read_file("/proc/self/uid_map", map, sizeof(map) - 1);
  // Without user namespaces there is no such file. Where it cannot be read it may say anything.
  if (length < 0) return errno != ENOENT;
  return !MapsEveryUserToItself(map);
}

Result<Peer> PeerOf(const Sys& sys, int fd) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (sys.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return Failure{errno, "getsockopt"};
  if (size != sizeof(peer)) return Failure{EINVAL, "getsockopt"};
  const bool is_own = peer.uid == geteuid() && (!IsUidAmbiguous(sys) || MaySignal(sys, peer.pid));
  return Peer{peer.pid, peer.uid, is_own};
}

}  // namespace reuseport
