#include <sched.h>

#include "platform/platform.h"

namespace reuseport {

int GetCpuMask(size_t size, unsigned long* mask) {
  return sched_getaffinity(0, size, reinterpret_cast<cpu_set_t*>(mask));
}

int SetCpuMask(size_t size, const unsigned long* mask) {
  return sched_setaffinity(0, size, reinterpret_cast<const cpu_set_t*>(mask));
}

}  // namespace reuseport
