#include <cerrno>

#include "platform/platform.h"

namespace reuseport {

// socket(2) takes both flags on Linux 2.6.27, FreeBSD 10, NetBSD 6, OpenBSD 5.7, Solaris 11.4 and later.
Result<UniqueFd> OpenSocket(const Sys& sys, int family, int type, int protocol) {
  const int fd = sys.socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) return Failure{errno, "socket"};
  return UniqueFd(sys, fd);
}

}  // namespace reuseport
