#include <sys/ioctl.h>

#include <cerrno>

#include "platform/platform.h"

namespace reuseport {

// socket(2) of AIX takes no flags: a child that is forked between these calls inherits the descriptor.
Result<UniqueFd> OpenSocket(const Sys& sys, int family, int type, int protocol) {
  const int fd = sys.socket(family, type, protocol);
  if (fd < 0) return Failure{errno, "socket"};
  UniqueFd owned(sys, fd);

  int on = 1;
  if (sys.ioctl(fd, FIOCLEX, nullptr) != 0) return Failure{errno, "ioctl"};
  if (sys.ioctl(fd, FIONBIO, &on) != 0) return Failure{errno, "ioctl"};
  return owned;
}

}  // namespace reuseport
