#include <sys/ioctl.h>

#include <cerrno>

#include "core/enable_option.h"
#include "platform/platform.h"

namespace reuseport {

// socket(2) of macOS takes no flags: a child that is forked between these calls inherits the descriptor. libuv sets
// SO_NOSIGPIPE on the sockets that it creates, because macOS has no MSG_NOSIGNAL; so does this function.
Result<UniqueFd> OpenSocket(const Sys& sys, int family, int type, int protocol) {
  const int fd = sys.socket(family, type, protocol);
  if (fd < 0) return Failure{errno, "socket"};
  UniqueFd owned(sys, fd);

  int on = 1;
  if (sys.ioctl(fd, FIOCLEX, nullptr) != 0) return Failure{errno, "ioctl"};
  if (sys.ioctl(fd, FIONBIO, &on) != 0) return Failure{errno, "ioctl"};
  Status no_signal = EnableOption(sys, fd, SOL_SOCKET, SO_NOSIGPIPE);
  if (!no_signal.ok()) return no_signal.failure();
  return owned;
}

}  // namespace reuseport
