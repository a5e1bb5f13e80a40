#include "core/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>

#include "platform/platform.h"

namespace reuseport {
namespace {

constexpr size_t kBits = sizeof(unsigned long) * CHAR_BIT;
constexpr size_t kMostCpus = 8192;  // the largest number that Linux can be built for

using CpuMask = std::array<unsigned long, kMostCpus / kBits>;

}  // namespace

Result<std::vector<uint32_t>> GetCpus(const Sys& sys) {
  CpuMask mask{};
  if (sys.get_cpus(sizeof(mask), mask.data()) != 0) return Failure{errno, "sched_getaffinity"};
  std::vector<uint32_t> cpus;
  for (uint32_t cpu = 0; cpu < kMostCpus; cpu++) {
    if ((mask[cpu / kBits] >> (cpu % kBits) & 1) != 0) cpus.push_back(cpu);
  }
  return cpus;
}

Status SetCpus(const Sys& sys, const std::vector<uint32_t>& cpus) {
  CpuMask mask{};
  for (const uint32_t cpu : cpus) {
    if (cpu >= kMostCpus) return Failure{EINVAL, "sched_setaffinity"};
    mask[cpu / kBits] |= 1UL << (cpu % kBits);
  }
  if (sys.set_cpus(sizeof(mask), mask.data()) != 0) return Failure{errno, "sched_setaffinity"};
  return Done{};
}

Status LeadProcessGroup(const Sys& sys) {
  if (sys.setpgid(0, 0) != 0) return Failure{errno, "setpgid"};
  return Done{};
}

Status WriteInBackground() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTTOU);
  // The same as pthread_sigmask(), which glibc before 2.32 has in another library. sigprocmask(2)
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return Failure{errno, "sigprocmask"};
  return Done{};
}

Status SendToUnix(const Sys& sys, const std::string& to, const std::string& text) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (to.empty() || to.size() >= sizeof(address.sun_path)) return Failure{ENAMETOOLONG, "sendto"};
  to.copy(address.sun_path, to.size());
  if (to[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + to.size());
  Result<UniqueFd> socket = OpenSocket(sys, AF_UNIX, SOCK_DGRAM, 0);
  if (!socket.ok()) return socket.failure();
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (sys.sendto(socket.value().get(), text.data(), text.size(), 0, generic, size) < 0) return Failure{errno, "sendto"};
  return Done{};
}

Result<UniqueFd> OpenProcess(const Sys& sys, int pid) {
  const int process = sys.pidfd_open(pid);
  if (process < 0) return Failure{errno, "pidfd_open"};
  return UniqueFd(sys, process);
}

Status SignalProcess(const Sys& sys, int process, int signal) {
  if (sys.pidfd_send_signal(process, signal) != 0) return Failure{errno, "pidfd_send_signal"};
  return Done{};
}

Result<bool> HasProcessEnded(const Sys& sys, int process) {
  for (;;) {
    pollfd wanted{process, POLLIN, 0};
    const int ready = sys.poll(&wanted, 1, 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Failure{errno, "poll"};
    if ((wanted.revents & POLLNVAL) != 0) return Failure{EBADF, "poll"};
    return (wanted.revents & POLLIN) != 0;
  }
}

}  // namespace reuseport
