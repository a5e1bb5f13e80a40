#include "core/sys.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "platform/platform.h"

namespace reuseport {
namespace {

// ioctl() is variadic in libc, so its address does not fit the table.
int Ioctl(int fd, unsigned long request, int* value) {
  return ::ioctl(fd, request, value);
}

int Duplicate(int fd) {
  return ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

}  // namespace

const Sys kSystem = {::socket, Ioctl,         ::setsockopt, ::getsockopt, ::bind,     ::listen,   ::connect,
                     ::poll,   ::getsockname, ::sendto,     ::recvfrom,   ::fstat,    ::shutdown, Duplicate,
                     ::close,  ::setpgid,     PidFdOpen,    PidFdGetFd,   GetCpuMask, SetCpuMask};

}  // namespace reuseport
