#pragma once

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

struct epoll_event;

namespace reuseport {

// The system calls that the core makes. A test build replaces the table to make each of them fail.
struct Sys {
  int (*socket)(int domain, int type, int protocol);
  int (*ioctl)(int fd, unsigned long request, int* value);
  int (*setsockopt)(int fd, int level, int name, const void* value, socklen_t length);
  int (*getsockopt)(int fd, int level, int name, void* value, socklen_t* length);
  int (*bind)(int fd, const sockaddr* address, socklen_t length);
  int (*listen)(int fd, int backlog);
  int (*connect)(int fd, const sockaddr* address, socklen_t length);
  int (*accept)(int fd, sockaddr* address, socklen_t* length);  // the new socket is close-on-exec
  int (*poll)(struct pollfd* wanted, nfds_t count, int timeout_ms);
  int (*getsockname)(int fd, sockaddr* address, socklen_t* length);
  ssize_t (*sendto)(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t length);
  ssize_t (*recvfrom)(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* length);
  ssize_t (*sendmsg)(int fd, const msghdr* message, int flags);
  ssize_t (*recvmsg)(int fd, msghdr* message, int flags);
  int (*fstat)(int fd, struct stat* status);
  int (*fchown)(int fd, uid_t owner, gid_t group);
  int (*shutdown)(int fd, int how);
  int (*duplicate)(int fd, int lowest);  // fcntl(2) with F_DUPFD_CLOEXEC: the copy is close-on-exec
  int (*close)(int fd);
  ssize_t (*read_file)(const char* path, char* text, size_t size);  // its first bytes
  int (*setpgid)(pid_t pid, pid_t group);
  int (*kill)(pid_t pid, int signal);
  int (*socketpair)(int domain, int type, int protocol, int* ends);
  // pthread_create(3) with the result of a system call. The thread blocks all signals.
  int (*start_thread)(pthread_t* thread, void* (*run)(void*), void* argument);
  // Only Linux has these; other systems answer ENOSYS.
  int (*pidfd_open)(int pid);
  int (*pidfd_getfd)(int process, int fd);
  int (*pidfd_send_signal)(int process, int signal);
  int (*get_cpus)(size_t size, unsigned long* mask);
  int (*set_cpus)(size_t size, const unsigned long* mask);
  // Null on other systems.
  int (*epoll_create1)(int flags);
  int (*epoll_ctl)(int epoll, int operation, int fd, epoll_event* event);
  int (*epoll_wait)(int epoll, epoll_event* fired, int most, int timeout_ms);
};

extern const Sys kSystem;

}  // namespace reuseport
