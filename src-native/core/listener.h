#pragma once

#include "core/address.h"
#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

namespace reuseport {

struct ListenerRequest {
  SocketAddress address;
  bool ipv6_only;
  int backlog;
};

// A listening TCP socket that shares its address. Whatever step fails, nothing stays open.
Result<UniqueFd> OpenListener(const Sys& sys, const ListenerRequest& request);

// Whether two sockets of this process may be bound to one port: tried, on the loopback address, without listening.
// False where the second one finds the port taken; a failure says that it could not be tried, or that there is no
// option.
Result<bool> ProbePortSharing(const Sys& sys);

}  // namespace reuseport
