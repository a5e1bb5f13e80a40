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

// Opens a socket that will share the address to which it is bound. The socket is not yet bound.
Result<UniqueFd> OpenSharedSocket(const Sys& sys, const SocketRequest& request);

// Opens a socket and binds it to `where`, an address with port 0: the kernel gives it a port that no socket has. From
// then on sockets of this user may bind that port, too. The socket never listens.
Result<UniqueFd> ReservePort(const Sys& sys, const SocketRequest& request, const SocketAddress& where);

// For UDP sockets: whether processes of any user may bind the same address, by SO_REUSEADDR.
Status SetReuseAddress(const Sys& sys, int fd, bool on);

Status Bind(const Sys& sys, int fd, const SocketAddress& address);
Status Listen(const Sys& sys, int fd, int backlog);

// Tries whether two sockets of this process can be bound to one port, without listening: at a loopback address where
// there is one. False if the second bind() fails with EADDRINUSE. A failure if the sockets cannot be opened or bound,
// or if the system has no such option.
Result<bool> ProbePortSharing(const Sys& sys);

}  // namespace reuseport
