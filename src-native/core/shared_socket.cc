#include "core/shared_socket.h"

#include <netinet/in.h>

#include <cerrno>

#include "core/enable_option.h"
#include "core/system_names.h"
#include "platform/platform.h"

namespace reuseport {
namespace {

// socket(7): every socket of the port must have the option before bind().
Status ShareAddress(const Sys& sys, int fd, Transport transport) {
  if (kReusePortOption.label == nullptr) return Failure{ENOPROTOOPT, "setsockopt"};
  // On a UDP socket SO_REUSEADDR would let processes of any user bind the port as well.
  if (kReusePortOption.reuse_address && transport == Transport::kTcp) {
    Status reuse_address = EnableOption(sys, fd, SOL_SOCKET, SO_REUSEADDR);
    if (!reuse_address.ok()) return reuse_address;
  }
  return EnableOption(sys, fd, SOL_SOCKET, kReusePortOption.name);
}

Result<UniqueFd> OpenFor(const Sys& sys, const SocketRequest& request) {
  if (request.transport == Transport::kUdp) return OpenSocket(sys, request.family, SOCK_DGRAM, 0);
  if (!request.multipath) return OpenSocket(sys, request.family, SOCK_STREAM, 0);
  if (IPPROTO_MPTCP == kAbsent) return Failure{EPROTONOSUPPORT, "socket"};
  return OpenSocket(sys, request.family, SOCK_STREAM, IPPROTO_MPTCP);
}

// Always set, because the default is a setting of the system (net.ipv6.bindv6only).
Status SetIpv6Only(const Sys& sys, int fd, const SocketRequest& request) {
  if (request.family != AF_INET6) return Done{};
  return EnableOption(sys, fd, IPPROTO_IPV6, IPV6_V6ONLY, request.ipv6_only ? 1 : 0);
}

Result<UniqueFd> OpenAndBind(const Sys& sys, const SocketAddress& address) {
  Result<UniqueFd> socket = OpenSharedSocket(sys, {Transport::kTcp, address.family(), false, false});
  if (!socket.ok()) return socket;
  Status bound = Bind(sys, socket.value().get(), address);
  if (!bound.ok()) return bound.failure();
  return socket;
}

Result<bool> ProbeOn(const Sys& sys, int family, const char* host) {
  Result<SocketAddress> any_port = SocketAddress::Parse(family, host, 0);
  if (!any_port.ok()) return any_port.failure();
  Result<UniqueFd> first = OpenAndBind(sys, any_port.value());
  if (!first.ok()) return first.failure();
  Result<SocketAddress> taken = SocketAddress::OfSocket(sys, first.value().get());
  if (!taken.ok()) return taken.failure();
  Result<UniqueFd> second = OpenAndBind(sys, taken.value());
  if (second.ok()) return true;
  // Only bind() gives EADDRINUSE. For the first socket, whose port the kernel chooses, the error would mean that no
  // port is free.
  if (second.failure().error == EADDRINUSE) return false;
  return second.failure();
}

}  // namespace

Result<UniqueFd> OpenSharedSocket(const Sys& sys, const SocketRequest& request) {
  Result<UniqueFd> socket = OpenFor(sys, request);
  if (!socket.ok()) return socket;
  const int fd = socket.value().get();

  Status shared = ShareAddress(sys, fd, request.transport);
  if (!shared.ok()) return shared.failure();

  Status v6_only = SetIpv6Only(sys, fd, request);
  if (!v6_only.ok()) return v6_only.failure();
  return socket;
}

Result<UniqueFd> ReservePort(const Sys& sys, const SocketRequest& request, const SocketAddress& where) {
  Result<UniqueFd> socket = OpenFor(sys, request);
  if (!socket.ok()) return socket;
  const int fd = socket.value().get();
  Status done = SetIpv6Only(sys, fd, request);
  // For a UDP socket that shares its port, Linux also chooses a port that another such socket of this user has.
  const bool is_udp = request.transport == Transport::kUdp;
  if (done.ok() && !is_udp) done = ShareAddress(sys, fd, request.transport);
  if (done.ok()) done = Bind(sys, fd, where);
  if (done.ok() && is_udp) done = ShareAddress(sys, fd, request.transport);
  if (!done.ok()) return done.failure();
  return socket;
}

Status SetReuseAddress(const Sys& sys, int fd, bool on) {
  return EnableOption(sys, fd, SOL_SOCKET, SO_REUSEADDR, on ? 1 : 0);
}

Status Bind(const Sys& sys, int fd, const SocketAddress& address) {
  if (sys.bind(fd, address.data(), address.size()) != 0) return Failure{errno, "bind"};
  return Done{};
}

Status Listen(const Sys& sys, int fd, int backlog) {
  if (sys.listen(fd, backlog) != 0) return Failure{errno, "listen"};
  return Done{};
}

Result<bool> ProbePortSharing(const Sys& sys) {
  Result<bool> v4 = ProbeOn(sys, AF_INET, "127.0.0.1");
  if (v4.ok()) return v4;
  Result<bool> v6 = ProbeOn(sys, AF_INET6, "::1");
  if (v6.ok() || v4.failure().error != EADDRNOTAVAIL) return v6.ok() ? v6 : v4;
  // A host, or a network namespace, whose loopback interface has no address.
  return ProbeOn(sys, AF_INET, "0.0.0.0");
}

}  // namespace reuseport
