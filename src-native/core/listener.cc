#include "core/listener.h"

#include <netinet/in.h>

#include <cerrno>

#include "core/options.h"
#include "platform/platform.h"

namespace reuseport {
namespace {

// socket(7): every socket of the port must have the option before bind().
Status ShareAddress(const Sys& sys, int fd) {
  if (kReusePortOption.label == nullptr) return Failure{ENOPROTOOPT, "setsockopt"};
  if (kReusePortOption.reuse_address) {
    Status reuse_address = EnableOption(sys, fd, SOL_SOCKET, SO_REUSEADDR);
    if (!reuse_address.ok()) return reuse_address;
  }
  return EnableOption(sys, fd, SOL_SOCKET, kReusePortOption.name);
}

Result<UniqueFd> BindShared(const Sys& sys, const SocketAddress& address, bool ipv6_only) {
  Result<UniqueFd> socket = OpenStreamSocket(sys, address.family());
  if (!socket.ok()) return socket;
  const int fd = socket.value().get();

  Status shared = ShareAddress(sys, fd);
  if (!shared.ok()) return shared.failure();

  // Always said: the default is a system setting (net.ipv6.bindv6only).
  if (address.family() == AF_INET6) {
    Status v6_only = EnableOption(sys, fd, IPPROTO_IPV6, IPV6_V6ONLY, ipv6_only ? 1 : 0);
    if (!v6_only.ok()) return v6_only.failure();
  }
  if (sys.bind(fd, address.data(), address.size()) != 0) return Failure{errno, "bind"};
  return socket;
}

Result<bool> ProbeOn(const Sys& sys, int family, const char* loopback) {
  Result<SocketAddress> any_port = SocketAddress::Parse(family, loopback, 0);
  if (!any_port.ok()) return any_port.failure();
  Result<UniqueFd> first = BindShared(sys, any_port.value(), false);
  if (!first.ok()) return first.failure();
  Result<SocketAddress> taken = SocketAddress::OfSocket(sys, first.value().get());
  if (!taken.ok()) return taken.failure();
  Result<UniqueFd> second = BindShared(sys, taken.value(), false);
  if (second.ok()) return true;
  // Only bind() answers this. For the first socket, whose port is the kernel's choice, it would mean that none is left.
  if (second.failure().error == EADDRINUSE) return false;
  return second.failure();
}

}  // namespace

Result<UniqueFd> OpenListener(const Sys& sys, const ListenerRequest& request) {
  Result<UniqueFd> socket = BindShared(sys, request.address, request.ipv6_only);
  if (!socket.ok()) return socket;
  if (sys.listen(socket.value().get(), request.backlog) != 0) return Failure{errno, "listen"};
  return socket;
}

Result<bool> ProbePortSharing(const Sys& sys) {
  Result<bool> v4 = ProbeOn(sys, AF_INET, "127.0.0.1");
  if (v4.ok()) return v4;
  Result<bool> v6 = ProbeOn(sys, AF_INET6, "::1");
  return v6.ok() ? v6 : v4;
}

}  // namespace reuseport
