#pragma once

#include <cstddef>

#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

// What differs between systems. Each name has one definition per system, in a folder that binding.gyp chooses.
namespace reuseport {

struct ReusePortOption {
  const char* label;   // nullptr where the system has none
  int name;            // at level SOL_SOCKET
  bool reuse_address;  // whether SO_REUSEADDR is set too, so that a restart can bind beside TIME_WAIT
};

extern const ReusePortOption kReusePortOption;

// A socket that is close-on-exec and non-blocking, in one call where the system has one.
Result<UniqueFd> OpenSocket(const Sys& sys, int family, int type, int protocol);

// pidfd_open(2) and pidfd_getfd(2).
int PidFdOpen(int pid);
int PidFdGetFd(int process, int fd);

// Of this thread. sched_getaffinity(2)
int GetCpuMask(size_t size, unsigned long* mask);
int SetCpuMask(size_t size, const unsigned long* mask);

}  // namespace reuseport
