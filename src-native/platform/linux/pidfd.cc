#include <sys/syscall.h>
#include <unistd.h>

#include "platform/platform.h"

namespace reuseport {
namespace {

// The numbers are the same on every architecture except Alpha. Older C libraries lack the names.
constexpr long kPidFdOpen = 434;
constexpr long kPidFdGetFd = 438;

}  // namespace

int PidFdOpen(int pid) {
  return static_cast<int>(syscall(kPidFdOpen, pid, 0));
}

int PidFdGetFd(int process, int fd) {
  return static_cast<int>(syscall(kPidFdGetFd, process, fd, 0));
}

}  // namespace reuseport
