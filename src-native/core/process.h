#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/sys.h"

// What a supervisor needs beside sockets that share a port.
namespace reuseport {

// The CPUs that this thread may run on; what it starts, a thread or a process, gets them too. sched_setaffinity(2)
Result<std::vector<uint32_t>> GetCpus(const Sys& sys);
Status SetCpus(const Sys& sys, const std::vector<uint32_t>& cpus);

// A group of its own for this process: signals of a terminal are for another one. setpgid(2)
Status LeadProcessGroup(const Sys& sys);

// A datagram to a unix socket, by its file or, with '@' in front, its abstract name. unix(7), sd_notify(3)
Status SendToUnix(const Sys& sys, const std::string& to, const std::string& text);

}  // namespace reuseport
