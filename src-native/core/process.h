#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/sys.h"

// What a supervisor needs apart from sockets: CPUs, the process group, messages to a service manager.
namespace reuseport {

// The CPUs that this thread may run on. Threads and processes that it starts inherit them. sched_setaffinity(2)
Result<std::vector<uint32_t>> GetCpus(const Sys& sys);
Status SetCpus(const Sys& sys, const std::vector<uint32_t>& cpus);

// Makes this process the leader of a new process group, so that signals of the terminal no longer reach it. setpgid(2)
Status LeadProcessGroup(const Sys& sys);

// Sends a datagram to a unix socket. `to` is its file, or '@' and its abstract name. unix(7), sd_notify(3)
Status SendToUnix(const Sys& sys, const std::string& to, const std::string& text);

}  // namespace reuseport
