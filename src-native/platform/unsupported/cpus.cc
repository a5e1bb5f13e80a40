#include <cerrno>

#include "platform/platform.h"

namespace reuseport {

int GetCpuMask(size_t /*size*/, unsigned long* /*mask*/) {
  errno = ENOSYS;
  return -1;
}

int SetCpuMask(size_t /*size*/, const unsigned long* /*mask*/) {
  errno = ENOSYS;
  return -1;
}

}  // namespace reuseport
