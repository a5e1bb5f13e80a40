#include "core/queue_watch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "core/steering.h"

namespace reuseport {
namespace {

constexpr int kAtOnce = 64;
// Milliseconds between two looks at most, while connections come all the time and no queue stands.
constexpr int kLongestRest = 1;
constexpr uint32_t kOnce = EPOLLIN | EPOLLONESHOT;

Status Control(const Sys& sys, int epoll, int operation, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (sys.epoll_ctl(epoll, operation, fd, &event) != 0) return Failure{errno, "epoll_ctl"};
  return Done{};
}

}  // namespace

// Constant while its thread runs.
struct QueueWatch {
  QueueWatch(const Sys& table, int epoll_fd, int socket_fd, int name_of, int patience)
      : sys(table), epoll(table, epoll_fd), socket(table, socket_fd), name(name_of), patience_ms(patience) {}
  QueueWatch(const QueueWatch&) = delete;
  QueueWatch& operator=(const QueueWatch&) = delete;
  QueueWatch(QueueWatch&&) = delete;
  QueueWatch& operator=(QueueWatch&&) = delete;

  ~QueueWatch() {
    if (!is_running) return;
    // Not by the table: for this socket the call cannot fail, and without it the thread would not end.
    ::shutdown(socket.get(), SHUT_RDWR);
    pthread_join(thread, nullptr);
  }

  const Sys& sys;
  const UniqueFd epoll;
  const UniqueFd socket;  // the end to which the thread writes
  const int name;
  const int patience_ms;
  bool is_running = false;
  pthread_t thread{};
  std::unique_ptr<QueueWatch> next;
};

namespace {

// ENOENT: JavaScript has disarmed it in the meantime.
void ArmAgain(const QueueWatch& watch, int fd) {
  (void)Control(watch.sys, watch.epoll.get(), EPOLL_CTL_MOD, fd, kOnce).ok();
}

// Whether a queue stands.
bool Look(const QueueWatch& watch, const epoll_event* fired, int count) {
  int32_t standing[kAtOnce];
  size_t found = 0;
  for (int i = 0; i < count; i++) {
    const int fd = fired[i].data.fd;
    Result<AcceptQueue> queue = AcceptQueueOf(watch.sys, fd);
    // No listener any more: JavaScript has closed it.
    if (!queue.ok()) continue;
    if (queue.value().waiting == 0) {
      ArmAgain(watch, fd);
    } else {
      standing[found++] = fd;
    }
  }
  if (found == 0) return false;
  // The kernel takes so short a message as a whole or not at all.
  const ssize_t sent =
      watch.sys.sendto(watch.socket.get(), standing, found * sizeof(int32_t), MSG_NOSIGNAL, nullptr, 0);
  while (sent < 0 && found > 0) ArmAgain(watch, standing[--found]);
  return true;
}

// Waits for this time. True as soon as the watch ends.
bool Ends(const QueueWatch& watch, int time_ms) {
  pollfd end{watch.socket.get(), POLLIN, 0};
  return watch.sys.poll(&end, 1, time_ms) > 0;
}

void* Run(void* argument) {
  const QueueWatch& watch = *static_cast<const QueueWatch*>(argument);
  epoll_event fired[kAtOnce];
  int rest = 0;
  for (;;) {
    const int count = watch.sys.epoll_wait(watch.epoll.get(), fired, kAtOnce, -1);
    // SIGCONT interrupts it although the thread blocks all signals. signal(7)
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 || Ends(watch, watch.patience_ms)) return nullptr;
    rest = Look(watch, fired, count) ? 0 : std::min(rest + 1, kLongestRest);
    if (Ends(watch, rest)) return nullptr;
  }
}

}  // namespace

QueueWatches::QueueWatches(const Sys& sys) : sys_(sys) {}

QueueWatches::~QueueWatches() = default;

std::unique_ptr<QueueWatch>& QueueWatches::Find(int watch) {
  std::unique_ptr<QueueWatch>* found = &first_;
  while (*found && (*found)->name != watch) found = &(*found)->next;
  return *found;
}

Result<UniqueFd> QueueWatches::Open(int patience_ms) {
  const int epoll = sys_.epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return Failure{errno, "epoll_create1"};
  UniqueFd epoll_fd(sys_, epoll);
  int ends[2];
  if (sys_.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return Failure{errno, "socketpair"};
  }
  UniqueFd numbers(sys_, ends[0]);
  auto watch = std::make_unique<QueueWatch>(sys_, epoll_fd.Release(), ends[1], ends[0], patience_ms);
  Status ends_too = Control(sys_, epoll, EPOLL_CTL_ADD, ends[1], EPOLLIN);
  if (!ends_too.ok()) return ends_too.failure();
  if (sys_.start_thread(&watch->thread, Run, watch.get()) != 0) return Failure{errno, "pthread_create"};
  watch->is_running = true;
  // Of a watch whose descriptor other code has closed.
  End(ends[0]);
  watch->next = std::move(first_);
  first_ = std::move(watch);
  return numbers;
}

Status QueueWatches::SetArmed(int watch, int fd, bool on) {
  const std::unique_ptr<QueueWatch>& found = Find(watch);
  if (!found) return Failure{EBADF, "epoll_ctl"};
  const int epoll = found->epoll.get();
  Status set = Control(sys_, epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, fd, kOnce);
  if (set.ok() || set.failure().error != EEXIST) return set;
  return Control(sys_, epoll, EPOLL_CTL_MOD, fd, kOnce);
}

void QueueWatches::End(int watch) {
  std::unique_ptr<QueueWatch>& found = Find(watch);
  if (found) found = std::move(found->next);
}

}  // namespace reuseport
