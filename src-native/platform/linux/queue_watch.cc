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
// Milliseconds between two looks at most.
constexpr int kLongestPause = 8;
constexpr uint32_t kOnce = EPOLLIN | EPOLLONESHOT;

// The patience travels with the descriptor: the kernel gives both back.
Status Control(const Sys& sys, int epoll, int operation, int fd, uint32_t events, int patience = 0) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<uint64_t>(static_cast<uint32_t>(patience)) << 32 | static_cast<uint32_t>(fd);
  if (sys.epoll_ctl(epoll, operation, fd, &event) != 0) return Failure{errno, "epoll_ctl"};
  return Done{};
}

}  // namespace

// Constant while its thread runs.
struct QueueWatch {
  QueueWatch(const Sys& table, int epoll_fd, int socket_fd, int name_of)
      : sys(table), epoll(table, epoll_fd), socket(table, socket_fd), name(name_of) {}
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
  bool is_running = false;
  pthread_t thread{};
  std::unique_ptr<QueueWatch> next;
};

namespace {

// A queue with connections.
struct Waiting {
  int fd;
  int patience;    // ms
  int left;        // ms until it stands
  uint32_t count;  // connections at the last look
};

// Of the thread alone.
struct Queues {
  Waiting all[kAtOnce];
  int count = 0;
};

// ENOENT: JavaScript has disarmed it in the meantime.
void ArmAgain(const QueueWatch& watch, const Waiting& queue) {
  (void)Control(watch.sys, watch.epoll.get(), EPOLL_CTL_MOD, queue.fd, kOnce, queue.patience).ok();
}

// Adds the queues that have connections now. False at the end of the watch.
bool Take(const QueueWatch& watch, Queues* queues) {
  epoll_event fired[kAtOnce];
  const int room = kAtOnce - queues->count;
  if (room == 0) return true;
  const int count = watch.sys.epoll_wait(watch.epoll.get(), fired, room, queues->count == 0 ? -1 : 0);
  // SIGCONT interrupts it although the thread blocks all signals. signal(7)
  if (count < 0) return errno == EINTR;
  for (int i = 0; i < count; i++) {
    const int fd = static_cast<int>(fired[i].data.u64 & UINT32_MAX);
    const int patience = static_cast<int>(fired[i].data.u64 >> 32);
    // Armed again while it is here.
    Waiting* const end = queues->all + queues->count;
    Waiting* const known = std::find_if(queues->all, end, [fd](const Waiting& queue) { return queue.fd == fd; });
    *known = Waiting{fd, patience, patience, 0};
    if (known == end) queues->count++;
  }
  return true;
}

// Keeps the queues whose connections wait and do not stand yet. A queue that is shorter than before has an owner that
// accepts.
void Look(const QueueWatch& watch, Queues* queues, int passed) {
  Waiting standing[kAtOnce];
  int32_t numbers[kAtOnce];
  int kept = 0;
  int found = 0;
  for (int i = 0; i < queues->count; i++) {
    Waiting queue = queues->all[i];
    Result<AcceptQueue> state = AcceptQueueOf(watch.sys, queue.fd);
    // No listener any more: JavaScript has closed it.
    if (!state.ok()) continue;
    if (state.value().waiting == 0) {
      ArmAgain(watch, queue);
      continue;
    }
    queue.left = state.value().waiting < queue.count ? queue.patience : queue.left - passed;
    queue.count = state.value().waiting;
    if (queue.left > 0) {
      queues->all[kept++] = queue;
    } else {
      numbers[found] = queue.fd;
      standing[found++] = queue;
    }
  }
  queues->count = kept;
  if (found == 0) return;
  // The kernel takes so short a message as a whole or not at all.
  const ssize_t sent = watch.sys.sendto(watch.socket.get(), numbers, static_cast<size_t>(found) * sizeof(int32_t),
                                        MSG_NOSIGNAL, nullptr, 0);
  while (sent < 0 && found > 0) ArmAgain(watch, standing[--found]);
}

// Milliseconds to the next look: less than the patience, so that a queue which gets shorter is seen.
int PauseOf(const Queues& queues) {
  int pause = kLongestPause;
  for (int i = 0; i < queues.count; i++) pause = std::min(pause, queues.all[i].patience / 4);
  return std::max(pause, 1);
}

// Waits for this time. True as soon as the watch ends.
bool Ends(const QueueWatch& watch, int time_ms) {
  pollfd end{watch.socket.get(), POLLIN, 0};
  return watch.sys.poll(&end, 1, time_ms) > 0;
}

void* Run(void* argument) {
  const QueueWatch& watch = *static_cast<const QueueWatch*>(argument);
  Queues queues;
  while (Take(watch, &queues)) {
    const int pause = PauseOf(queues);
    if (Ends(watch, pause)) break;
    Look(watch, &queues, pause);
    // Where all connections were accepted in time, it looks half as often.
    if (queues.count == 0 && Ends(watch, pause)) break;
  }
  return nullptr;
}

}  // namespace

QueueWatches::QueueWatches(const Sys& sys) : sys_(sys) {}

QueueWatches::~QueueWatches() = default;

std::unique_ptr<QueueWatch>& QueueWatches::Find(int watch) {
  std::unique_ptr<QueueWatch>* found = &first_;
  while (*found && (*found)->name != watch) found = &(*found)->next;
  return *found;
}

Result<UniqueFd> QueueWatches::Open() {
  const int epoll = sys_.epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return Failure{errno, "epoll_create1"};
  UniqueFd epoll_fd(sys_, epoll);
  int ends[2];
  if (sys_.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return Failure{errno, "socketpair"};
  }
  UniqueFd numbers(sys_, ends[0]);
  auto watch = std::make_unique<QueueWatch>(sys_, epoll_fd.Release(), ends[1], ends[0]);
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

Status QueueWatches::SetArmed(int watch, int fd, int patience_ms) {
  const std::unique_ptr<QueueWatch>& found = Find(watch);
  if (!found) return Failure{EBADF, "epoll_ctl"};
  const int epoll = found->epoll.get();
  if (patience_ms == 0) return Control(sys_, epoll, EPOLL_CTL_DEL, fd, 0);
  Status set = Control(sys_, epoll, EPOLL_CTL_ADD, fd, kOnce, patience_ms);
  if (set.ok() || set.failure().error != EEXIST) return set;
  return Control(sys_, epoll, EPOLL_CTL_MOD, fd, kOnce, patience_ms);
}

void QueueWatches::End(int watch) {
  std::unique_ptr<QueueWatch>& found = Find(watch);
  if (found) found = std::move(found->next);
}

}  // namespace reuseport
