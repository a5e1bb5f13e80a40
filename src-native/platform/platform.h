#pragma once

#include <cstddef>

#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

// What differs between systems. Each name has one definition per system, in a folder that addon.gypi chooses.
namespace reuseport {

struct ReusePortOption {
  const char* label;   // nullptr if the system has no such option
  int name;            // at level SOL_SOCKET
  bool reuse_address;  // whether to set SO_REUSEADDR too: a restarted server can then bind despite TIME_WAIT
};

extern const ReusePortOption kReusePortOption;

// Opens a close-on-exec, non-blocking socket, with a single system call if the system allows that.
Result<UniqueFd> OpenSocket(const Sys& sys, int family, int type, int protocol);

// pidfd_open(2), pidfd_getfd(2) and pidfd_send_signal(2).
int PidFdOpen(int pid);
int PidFdGetFd(int process, int fd);
int PidFdSendSignal(int process, int signal);

// The CPU mask of this thread. sched_getaffinity(2)
int GetCpuMask(size_t size, unsigned long* mask);
int SetCpuMask(size_t size, const unsigned long* mask);

}  // namespace reuseport
