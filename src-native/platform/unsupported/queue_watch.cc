#include "core/queue_watch.h"

#include <cerrno>

namespace reuseport {

struct QueueWatch {};

QueueWatches::QueueWatches(const Sys& sys) : sys_(sys) {}

QueueWatches::~QueueWatches() = default;

Result<UniqueFd> QueueWatches::Open() {
  return Failure{ENOSYS, "epoll_create1"};
}

Status QueueWatches::SetArmed(int, int, int) {
  return Failure{ENOSYS, "epoll_ctl"};
}

void QueueWatches::End(int) {}

}  // namespace reuseport
