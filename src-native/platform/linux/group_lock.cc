#include "core/group_lock.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "core/peer.h"
#include "platform/linux/abstract_name.h"

namespace reuseport {
namespace {

using Clock = std::chrono::steady_clock;

// Milliseconds until the next attempt if there is no connection whose end could be awaited: the holder does not listen
// yet, or its queue is full.
constexpr int kPause = 1;
constexpr int kQueue = 128;
constexpr std::chrono::milliseconds kSearchPause{20};

int Remaining(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::max<decltype(left)>(left, 0));
}

// Waits for an event of a socket, or, without a socket (-1), for the timeout. A signal ends the wait early.
Status Wait(const Sys& sys, int fd, int timeout_ms) {
  pollfd wanted{fd, POLLIN, 0};
  if (sys.poll(&wanted, 1, timeout_ms) < 0 && errno != EINTR) return Failure{errno, "poll"};
  return Done{};
}

// A peer that the kernel does not tell counts as a stranger.
bool IsOwn(const Sys& sys, int fd) {
  Result<Peer> peer = PeerOf(sys, fd);
  return peer.ok() && peer.value().is_own;
}

// Looks for strangers that cannot be connected to: any user can bind a name and never listen, or keep its queue full.
class StrangerSearch {
 public:
  StrangerSearch(const Sys& sys, const AbstractName& name) : sys_(sys), name_(name) {}

  // A dump of all unix sockets, so not more often than every kSearchPause. An owner that is not told, as before Linux
  // 5.3, is no stranger. One of the same number that may be a stranger (IsUidAmbiguous()) is one if the next search
  // finds such a one, too: it may be a process of this user that has had no time to listen.
  bool Finds() {
    const Clock::time_point now = Clock::now();
    if (now < next_) return false;
    next_ = now + kSearchPause;
    Result<NameOwner> owner = BinderOf(sys_, name_);
    const bool is_strangers = owner.ok() && owner.value().uid && !owner.value().is_own;
    const bool was_suspected = std::exchange(is_suspected_, is_strangers);
    return is_strangers && (was_suspected || *owner.value().uid != geteuid());
  }

  bool suspects() const { return is_suspected_; }
  void Forget() { is_suspected_ = false; }

 private:
  const Sys& sys_;
  const AbstractName& name_;
  Clock::time_point next_ = Clock::time_point::min();
  bool is_suspected_ = false;
};

// Until the holder is gone, or there is reason to look again. A stranger's lock is told as such at once.
Status WaitForHolder(const Sys& sys, const AbstractName& name, Clock::time_point deadline, StrangerSearch* search) {
  Result<UniqueFd> waiter = OpenUnixSocket(sys);
  if (!waiter.ok()) return waiter.failure();
  const int fd = waiter.value().get();
  const bool connected = sys.connect(fd, name.data(), name.size) == 0;
  if (!connected && errno != ECONNREFUSED && errno != EAGAIN) return Failure{errno, "connect"};
  if (!connected && search->Finds()) return Failure{EACCES, "bind"};
  if (connected && !IsOwn(sys, fd)) return Failure{EACCES, "bind"};
  if (connected) search->Forget();
  const int left = Remaining(deadline);
  if (left == 0) return Failure{search->suspects() ? EACCES : ETIMEDOUT, "bind"};
  return connected ? Wait(sys, fd, left) : Wait(sys, -1, std::min(left, kPause));
}

}  // namespace

Result<UniqueFd> ConnectToLock(const Sys& sys, const std::string& text) {
  Result<AbstractName> name = ToAbstractName(text);
  if (!name.ok()) return name.failure();
  Result<UniqueFd> opened = OpenUnixSocket(sys);
  if (!opened.ok()) return opened;
  const int fd = opened.value().get();
  if (sys.connect(fd, name.value().data(), name.value().size) != 0) {
    const int error = errno;
    if (error != ECONNREFUSED && error != EAGAIN) return Failure{error, "connect"};
    StrangerSearch search(sys, name.value());
    return Failure{search.Finds() || search.suspects() ? EACCES : error, "connect"};
  }
  if (!IsOwn(sys, fd)) return Failure{EACCES, "connect"};
  return opened;
}

Result<UniqueFd> AcquireLock(const Sys& sys, const std::string& text, int timeout_ms) {
  Result<AbstractName> name = ToAbstractName(text);
  if (!name.ok()) return name.failure();
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  StrangerSearch search(sys, name.value());
  for (;;) {
    Result<UniqueFd> lock = OpenUnixSocket(sys);
    if (!lock.ok()) return lock;
    if (sys.bind(lock.value().get(), name.value().data(), name.value().size) == 0) {
      // Listens only for those who wait to see it end.
      if (sys.listen(lock.value().get(), kQueue) != 0) return Failure{errno, "listen"};
      return lock;
    }
    if (errno != EADDRINUSE) return Failure{errno, "bind"};
    Status waited = WaitForHolder(sys, name.value(), deadline, &search);
    if (!waited.ok()) return waited.failure();
  }
}

}  // namespace reuseport
