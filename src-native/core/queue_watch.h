#pragma once

#include <memory>

#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

namespace reuseport {

struct QueueWatch;

// Threads that tell which accept queues stand: from which nothing was accepted for `patience` although connections
// wait. A queue is armed, told at most once, and then has to be armed again. A queue that was empty before it stood
// stays armed. A thread sleeps while no armed queue has connections. While one has, it looks each ms, or each eighth of
// the patience (at most 8 ms): a queue that is shorter than at the last look has an owner that accepts.
//
// Linux: epoll(7). Nothing else is shared with a thread, so there is no lock: JavaScript arms in the epoll instance,
// the thread writes to a socket. Where JavaScript leaves too many numbers unread, the thread looks again after each
// patience until there is room.
class QueueWatches {
 public:
  explicit QueueWatches(const Sys& sys);
  QueueWatches(const QueueWatches&) = delete;
  QueueWatches& operator=(const QueueWatches&) = delete;
  QueueWatches(QueueWatches&&) = delete;
  QueueWatches& operator=(QueueWatches&&) = delete;
  ~QueueWatches();

  // A descriptor from which the numbers of the queues that stand are read, an int32_t each. Its number names the watch,
  // whose thread ends at End(), and when the descriptor is closed. ENOSYS if the system has no epoll(7).
  Result<UniqueFd> Open();
  // Arms a queue, or disarms it (patience 0). A queue has to be disarmed before its descriptor is closed: other
  // descriptors of the socket would keep it armed (epoll(7)). EBADF for a watch that is none, ENOENT for a queue that
  // was never armed.
  Status SetArmed(int watch, int fd, int patience_ms);
  // Waits for the end of the thread, which comes at once. Does nothing for a watch that is none.
  void End(int watch);

 private:
  std::unique_ptr<QueueWatch>& Find(int watch);

  const Sys& sys_;
  std::unique_ptr<QueueWatch> first_;
};

}  // namespace reuseport
