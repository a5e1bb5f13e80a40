#include <cerrno>

#include "platform/platform.h"

namespace reuseport {

int PidFdOpen(int /*pid*/) {
  errno = ENOSYS;
  return -1;
}

int PidFdGetFd(int /*process*/, int /*fd*/) {
  errno = ENOSYS;
  return -1;
}

int PidFdSendSignal(int /*process*/, int /*signal*/) {
  errno = ENOSYS;
  return -1;
}

}  // namespace reuseport
