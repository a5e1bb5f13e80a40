#pragma once

#include "core/address.h"
#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

namespace reuseport {

enum class Transport { kTcp, kUdp };

struct SocketRequest {
  Transport transport;
  int family;
  bool ipv6_only;
  bool multipath;  // IPPROTO_MPTCP instead of TCP
};

// A socket that will share the address it is bound to: neither bound nor listening yet.
Result<UniqueFd> OpenSharedSocket(const Sys& sys, const SocketRequest& request);

// Whether others may bind the same address with SO_REUSEADDR, whatever their user: for UDP sockets.
Status SetReuseAddress(const Sys& sys, int fd, bool on);

Status Bind(const Sys& sys, int fd, const SocketAddress& address);
Status Listen(const Sys& sys, int fd, int backlog);

// Whether two sockets of this process may be bound to one port: tried, on the loopback address, without listening.
// False where the second one finds the port taken; a failure says that it could not be tried, or that there is no
// option.
Result<bool> ProbePortSharing(const Sys& sys);

}  // namespace reuseport
