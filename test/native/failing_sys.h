#pragma once

// A table of system calls in which test/native/exercise.cc makes the n-th call fail.

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "core/sys.h"

namespace reuseport {

// For this thread: the number of calls that still succeed before one fails; -1: no call fails.
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

// Every call of this thread can fail except two: close(), because it frees the descriptor even if it reports an error,
// and fstat(), because it cannot fail for an open socket.
inline const Sys kFailing = {
    Failing<&Sys::socket>::Call,
    Failing<&Sys::ioctl>::Call,
    Failing<&Sys::setsockopt>::Call,
    Failing<&Sys::getsockopt>::Call,
    Failing<&Sys::bind>::Call,
    Failing<&Sys::listen>::Call,
    Failing<&Sys::connect>::Call,
    Failing<&Sys::accept>::Call,
    Failing<&Sys::poll>::Call,
    Failing<&Sys::getsockname>::Call,
    Failing<&Sys::sendto>::Call,
    Failing<&Sys::recvfrom>::Call,
    Failing<&Sys::sendmsg>::Call,
    Failing<&Sys::recvmsg>::Call,
    kSystem.fstat,
    Failing<&Sys::fchown>::Call,
    Failing<&Sys::shutdown>::Call,
    Failing<&Sys::duplicate>::Call,
    kSystem.close,
    Failing<&Sys::read_file>::Call,
    Failing<&Sys::setpgid>::Call,
    Failing<&Sys::kill>::Call,
    Failing<&Sys::socketpair>::Call,
    Failing<&Sys::start_thread>::Call,
    Failing<&Sys::pidfd_open>::Call,
    Failing<&Sys::pidfd_getfd>::Call,
    Failing<&Sys::pidfd_send_signal>::Call,
    Failing<&Sys::get_cpus>::Call,
    Failing<&Sys::set_cpus>::Call,
    Failing<&Sys::epoll_create1>::Call,
    Failing<&Sys::epoll_ctl>::Call,
    Failing<&Sys::epoll_wait>::Call,
};

inline std::atomic<long> checks{0};

// Ends the program if a condition does not hold although no call was made to fail.
inline void Expect(bool holds, const char* what) {
  checks++;
  if (holds || has_failed) return;
  std::fprintf(stderr, "does not hold: %s (errno %d)\n", what, errno);
  std::exit(1);
}

}  // namespace reuseport
