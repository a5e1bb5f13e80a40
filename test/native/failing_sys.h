#pragma once

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "core/sys.h"

namespace reuseport {

// Of this thread: how many calls still succeed before one fails, -1 for all.
inline thread_local long calls_left = -1;
inline thread_local bool has_failed = false;

inline bool Fails() {
  if (calls_left < 0 || calls_left-- != 0) return false;
  has_failed = true;
  errno = ENOBUFS;
  return true;
}

template <auto kMember>
struct Failing;

template <typename Returned, typename... Arguments, Returned (*Sys::*kMember)(Arguments...)>
struct Failing<kMember> {
  static Returned Call(Arguments... arguments) {
    return Fails() ? static_cast<Returned>(-1) : (kSystem.*kMember)(arguments...);
  }
};

// All but close(), since whatever it reports the descriptor is gone, and fstat(), which for an open socket cannot fail.
inline const Sys kFailing = {
    Failing<&Sys::socket>::Call,     Failing<&Sys::ioctl>::Call,      Failing<&Sys::setsockopt>::Call,
    Failing<&Sys::getsockopt>::Call, Failing<&Sys::bind>::Call,       Failing<&Sys::listen>::Call,
    Failing<&Sys::connect>::Call,    Failing<&Sys::poll>::Call,       Failing<&Sys::getsockname>::Call,
    Failing<&Sys::sendto>::Call,     Failing<&Sys::recvfrom>::Call,   kSystem.fstat,
    Failing<&Sys::shutdown>::Call,   Failing<&Sys::duplicate>::Call,  kSystem.close,
    Failing<&Sys::setpgid>::Call,    Failing<&Sys::pidfd_open>::Call, Failing<&Sys::pidfd_getfd>::Call,
    Failing<&Sys::get_cpus>::Call,   Failing<&Sys::set_cpus>::Call,
};

inline std::atomic<long> checks{0};

// What holds where no call was made to fail.
inline void Expect(bool holds, const char* what) {
  checks++;
  if (holds || has_failed) return;
  std::fprintf(stderr, "not so: %s (errno %d)\n", what, errno);
  std::exit(1);
}

}  // namespace reuseport
