#include <sys/ioctl.h>

#include <cerrno>

#include "core/enable_option.h"
#include "platform/platform.h"

namespace reuseport {

// macOS has no flags for socket(2): a child forked between these calls inherits the descriptor. SO_NOSIGPIPE is what
// libuv sets on the sockets it creates, because macOS has no MSG_NOSIGNAL.
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
