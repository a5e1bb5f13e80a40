#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

// What a supervisor needs apart from sockets: CPUs, the process group, messages to a service manager.
namespace reuseport {

// The CPUs that this thread may run on. Threads and processes that it starts inherit them. sched_setaffinity(2)
Result<std::vector<uint32_t>> GetCpus(const Sys& sys);
Status SetCpus(const Sys& sys, const std::vector<uint32_t>& cpus);

// Makes this process the leader of a new process group, so that signals of the terminal no longer reach it. setpgid(2)
Status LeadProcessGroup(const Sys& sys);

// Lets this thread, and those that it starts from now on, write to a terminal in the background where `stty tostop` is
// set: the terminal stops no process whose writing thread blocks SIGTTOU. A SIGTTOU of kill(2) goes to another thread.
// tty(4)
Status WriteInBackground();

// Sends a datagram to a unix socket. `to` is its file, or '@' and its abstract name. unix(7), sd_notify(3)
Status SendToUnix(const Sys& sys, const std::string& to, const std::string& text);

// A descriptor that goes on meaning this process when it has ended and another has its number. ESRCH where there is no
// such process; ENOSYS where the system has no such descriptors. Linux 5.3: pidfd_open(2)
Result<UniqueFd> OpenProcess(const Sys& sys, int pid);

// ESRCH where the process has ended and its parent has waited for it. Linux 5.1: pidfd_send_signal(2)
Status SignalProcess(const Sys& sys, int process, int signal);

// True also while the process is a zombie: the kernel makes the descriptor readable when it ends.
Result<bool> HasProcessEnded(const Sys& sys, int process);

}  // namespace reuseport
