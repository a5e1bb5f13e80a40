#include <sys/syscall.h>
#include <unistd.h>

#include "platform/platform.h"

namespace reuseport {
namespace {

// The numbers are the same on every architecture except Alpha. Older C libraries lack the names.
constexpr long kPidFdSendSignal = 424;
constexpr long kPidFdOpen = 434;
constexpr long kPidFdGetFd = 438;

}  // namespace

int PidFdOpen(int pid) {
  return static_cast<int>(syscall(kPidFdOpen, pid, 0));
}

int PidFdGetFd(int process, int fd) {
  return static_cast<int>(syscall(kPidFdGetFd, process, fd, 0));
}

int PidFdSendSignal(int process, int signal) {
  // Without a siginfo_t the kernel makes that of kill(2).
  return static_cast<int>(syscall(kPidFdSendSignal, process, signal, nullptr, 0));
}

}  // namespace reuseport
