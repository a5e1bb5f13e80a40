#include "platform/linux/abstract_name.h"

#include <linux/unix_diag.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <vector>

#include "platform/linux/netlink_dump.h"
#include "platform/linux/unix_name_parser.h"
#include "platform/platform.h"

namespace reuseport {
namespace {

// UDIAG_SHOW_UID, which older headers lack; kernels before 5.3 ignore it.
constexpr uint32_t kShowUid = 0x40;
constexpr uint32_t kAllStates = UINT32_MAX;
constexpr int kConnected = 1;  // TCP_ESTABLISHED (tcp_states.h)

Result<std::vector<UnixName>> DumpUnixNames(const Sys& sys) {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = kAllStates;
  request.udiag_show = UDIAG_SHOW_NAME | kShowUid;
  Result<std::vector<UnixName>> rows = Dump<UnixName>(sys, request, ParseUnixNames);
  if (rows.ok()) return rows;
  // A kernel without unix_diag or sock_diag at all: ENOENT would say that nobody has the name.
  const auto& [error, call] = rows.failure();
  if (error == ENOENT || error == EPROTONOSUPPORT) return Failure{ENOSYS, call};
  return rows;
}

bool IsFree(const Sys& sys, const AbstractName& name) {
  Result<UniqueFd> socket = OpenUnixSocket(sys);
  return socket.ok() && sys.bind(socket.value().get(), name.data(), name.size) == 0;
}

// A user whose number is ambiguous is known by a process alone, and a dump names none.
NameOwner ToOwner(const Sys& sys, const UnixName& row) {
  return {row.uid, row.uid && *row.uid == geteuid() && !IsUidAmbiguous(sys)};
}

}  // namespace

std::string AbstractName::Path() const {
  return {address.sun_path, size - offsetof(sockaddr_un, sun_path)};
}

Result<AbstractName> ToAbstractName(const std::string& text) {
  AbstractName name{};
  // The first byte stays 0.
  if (text.size() + 1 > sizeof(name.address.sun_path)) return Failure{ENAMETOOLONG, "bind"};
  name.address.sun_family = AF_UNIX;
  text.copy(name.address.sun_path + 1, text.size());
  name.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  return name;
}

Result<UniqueFd> OpenUnixSocket(const Sys& sys) {
  return OpenSocket(sys, AF_UNIX, SOCK_STREAM, 0);
}

Result<NameOwner> BinderOf(const Sys& sys, const AbstractName& name) {
  Result<std::vector<UnixName>> rows = DumpUnixNames(sys);
  if (!rows.ok()) return rows.failure();
  const std::string path = name.Path();
  std::optional<NameOwner> connected;
  for (const UnixName& row : rows.value()) {
    if (row.type != SOCK_STREAM || row.name != path) continue;
    if (row.state != kConnected) return ToOwner(sys, row);
    if (!connected || connected->is_own) connected = ToOwner(sys, row);
  }
  // Connections that a listener has accepted have its name, too, and may outlive it. A socket that was bound and then
  // connected looks the same, but nobody else can bind the name while it is there.
  if (!connected || IsFree(sys, name)) return Failure{ENOENT, "bind"};
  return *connected;
}

Result<NameOwner> OwnerOfName(const Sys& sys, const std::string& text) {
  Result<AbstractName> name = ToAbstractName(text);
  if (!name.ok()) return name.failure();
  Result<UniqueFd> socket = OpenUnixSocket(sys);
  if (!socket.ok()) return socket.failure();
  const int fd = socket.value().get();
  if (sys.connect(fd, name.value().data(), name.value().size) == 0) {
    Result<Peer> peer = PeerOf(sys, fd);
    if (!peer.ok()) return peer.failure();
    return NameOwner{peer.value().uid, peer.value().is_own};
  }
  // It does not listen, its queue is full, or it is of another type.
  if (errno != ECONNREFUSED && errno != EAGAIN && errno != EPROTOTYPE) return Failure{errno, "connect"};
  return BinderOf(sys, name.value());
}

}  // namespace reuseport
