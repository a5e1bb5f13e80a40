#include "core/sys.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "platform/platform.h"
#ifdef __linux__
#include <sys/epoll.h>
#endif

namespace reuseport {
namespace {

#ifndef __linux__
constexpr std::nullptr_t epoll_create1 = nullptr;
constexpr std::nullptr_t epoll_ctl = nullptr;
constexpr std::nullptr_t epoll_wait = nullptr;
#endif

// ioctl() is variadic in libc, so its address does not fit the table.
int Ioctl(int fd, unsigned long request, int* value) {
  return ::ioctl(fd, request, value);
}

int Duplicate(int fd, int lowest) {
  return ::fcntl(fd, F_DUPFD_CLOEXEC, lowest);
}

int Accept(int fd, sockaddr* address, socklen_t* length) {
#if defined(__linux__) || defined(__FreeBSD__)
  return ::accept4(fd, address, length, SOCK_CLOEXEC);
#else
  const int accepted = ::accept(fd, address, length);
  if (accepted >= 0) (void)::fcntl(accepted, F_SETFD, FD_CLOEXEC);
  return accepted;
#endif
}

ssize_t ReadFile(const char* path, char* text, size_t size) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const ssize_t length = ::read(fd, text, size);
  const int error = errno;
  ::close(fd);
  errno = error;
  return length;
}

int StartThread(pthread_t* thread, void* (*run)(void*), void* argument) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // The same as pthread_sigmask(). The new thread inherits the mask.
  sigprocmask(SIG_SETMASK, &all, &before);
  errno = pthread_create(thread, nullptr, run, argument);
  const bool started = errno == 0;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return started ? 0 : -1;
}

}  // namespace

const Sys kSystem = {::socket,   Ioctl,         ::setsockopt,  ::getsockopt, ::bind,     ::listen,        ::connect,
                     Accept,     ::poll,        ::getsockname, ::sendto,     ::recvfrom, ::sendmsg,       ::recvmsg,
                     ::fstat,    ::fchown,      ::shutdown,    Duplicate,    ::close,    ReadFile,        ::setpgid,
                     ::kill,     ::socketpair,  StartThread,   PidFdOpen,    PidFdGetFd, PidFdSendSignal, GetCpuMask,
                     SetCpuMask, epoll_create1, epoll_ctl,     epoll_wait};

}  // namespace reuseport
