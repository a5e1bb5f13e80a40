#include "core/group_lock.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>

namespace reuseport {
namespace {

using Clock = std::chrono::steady_clock;

// Milliseconds until the next attempt if there is no connection whose end could be awaited: the holder does not listen
// yet, or its queue is full.
constexpr int kPause = 1;
constexpr int kQueue = 128;

struct Name {
  sockaddr_un address;
  socklen_t size;
};

Result<Name> ToAbstract(const std::string& text) {
  Name name{};
  // The first byte stays 0: an abstract name has no file and disappears with its socket.
  if (text.size() + 1 > sizeof(name.address.sun_path)) return Failure{ENAMETOOLONG, "bind"};
  name.address.sun_family = AF_UNIX;
  text.copy(name.address.sun_path + 1, text.size());
  name.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  return name;
}

const sockaddr* Generic(const Name& name) {
  return reinterpret_cast<const sockaddr*>(&name.address);
}

Result<UniqueFd> OpenUnix(const Sys& sys) {
  const int fd = sys.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Failure{errno, "socket"};
  return UniqueFd(sys, fd);
}

int Remaining(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::max<decltype(left)>(left, 0));
}

// Waits for an event of a socket, or, without a socket (-1), for the timeout. A signal ends the wait early.
Status Wait(const Sys& sys, int fd, int timeout_ms) {
  pollfd wanted{fd, POLLIN, 0};
  if (sys.poll(&wanted, 1, timeout_ms) < 0 && errno != EINTR) return Failure{errno, "poll"};
  return Done{};
}

bool IsOwn(const Sys& sys, int fd) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return sys.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof(peer) &&
         peer.uid == geteuid();
}

// Returns when the holder has released the lock, or when another attempt is worthwhile. EACCES at once if a process of
// another user holds the lock.
Status WaitForHolder(const Sys& sys, const Name& name, Clock::time_point deadline) {
  Result<UniqueFd> waiter = OpenUnix(sys);
  if (!waiter.ok()) return waiter.failure();
  const int fd = waiter.value().get();
  const bool connected = sys.connect(fd, Generic(name), name.size) == 0;
  if (!connected && errno != ECONNREFUSED && errno != EAGAIN) return Failure{errno, "connect"};
  if (connected && !IsOwn(sys, fd)) return Failure{EACCES, "bind"};
  const int left = Remaining(deadline);
  if (left == 0) return Failure{ETIMEDOUT, "bind"};
  return connected ? Wait(sys, fd, left) : Wait(sys, -1, std::min(left, kPause));
}

}  // namespace

Result<UniqueFd> ConnectToLock(const Sys& sys, const std::string& text) {
  Result<Name> name = ToAbstract(text);
  if (!name.ok()) return name.failure();
  Result<UniqueFd> opened = OpenUnix(sys);
  if (!opened.ok()) return opened;
  const int fd = opened.value().get();
  if (sys.connect(fd, Generic(name.value()), name.value().size) != 0) return Failure{errno, "connect"};
  if (!IsOwn(sys, fd)) return Failure{EACCES, "connect"};
  return opened;
}

Result<UniqueFd> AcquireLock(const Sys& sys, const std::string& text, int timeout_ms) {
  Result<Name> name = ToAbstract(text);
  if (!name.ok()) return name.failure();
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    Result<UniqueFd> lock = OpenUnix(sys);
    if (!lock.ok()) return lock;
    if (sys.bind(lock.value().get(), Generic(name.value()), name.value().size) == 0) {
      // Other processes connect only to learn when the lock is released.
      if (sys.listen(lock.value().get(), kQueue) != 0) return Failure{errno, "listen"};
      return lock;
    }
    if (errno != EADDRINUSE) return Failure{errno, "bind"};
    Status waited = WaitForHolder(sys, name.value(), deadline);
    if (!waited.ok()) return waited.failure();
  }
}

}  // namespace reuseport
