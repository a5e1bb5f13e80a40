#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/steering.h"
#include "platform/linux/orphan.h"
#include "platform/linux/probe_socket.h"
#include "platform/linux/raised_min_ttl.h"
#include "platform/linux/syn_probe.h"

// How a listener finds its own slot. The program of the probe sends packets of two connections that have lost their
// other end (see orphan.h) to the slot that their payload names.
// - A member answers such a packet with RST. Neither the member nor its program notices, and no count rises. The
//   connection drops the answer, because it has a minimum TTL, and the kernel counts that drop at the connection.
// - The listeners sought have a minimum TTL that is higher than the TTL of the packet. If one of them is in the slot,
// the
//   kernel drops the packet: there is no answer, and the listener's count of drops rises by one.
// - Other packets may be dropped at that moment, too. So the listener's minimum TTL is set back, and the other
// connection
//   asks again: an answer proves that it was this listener, unless the first question has been answered by then, too.
namespace reuseport {
namespace {

constexpr int kRounds = 3;
// A member that drops packets by its own minimum TTL does not answer: one that leaves at this moment, for example.
// Where more packets than this vanish, something is in the way.
constexpr int kSilent = 4;
// How many listeners are tried that have dropped something while a packet was not answered.
constexpr int kSuspects = 4;

class Prober {
 public:
  Prober(const Sys& sys, const SlotProbe& probe, Orphan* asking, Orphan* confirming)
      : sys_(sys),
        probe_(probe),
        raised_(sys, probe.target.family()),
        asking_(asking),
        confirming_(confirming),
        slots_(probe.listeners.size(), -1) {}

  Status Prepare() {
    for (const int listener : probe_.listeners) {
      Status raised = raised_.Add(listener);
      if (!raised.ok()) return raised;
      Result<uint32_t> drops = Drops(sys_, listener);
      if (!drops.ok()) return drops.failure();
      drops_.push_back(drops.value());
    }
    return Done{};
  }

  // Whether each packet of the last round was answered, or dropped by a listener sought.
  Result<bool> Run() {
    for (int round = 1;; round++) {
      Result<bool> agrees = AskAll();
      if (!agrees.ok() || !IsFound(-1) || round == kRounds) return agrees;
      asking_->End();
      confirming_->End();
    }
  }

  const std::vector<int>& slots() const { return slots_; }

 private:
  bool IsFound(int slot) const { return std::find(slots_.begin(), slots_.end(), slot) != slots_.end(); }

  Result<bool> AskAll() {
    int silent = 0;
    for (uint32_t slot = 0; slot < probe_.members && IsFound(-1) && silent < kSilent; slot++) {
      if (IsFound(static_cast<int>(slot))) continue;
      Result<bool> agrees = Ask(static_cast<uint16_t>(slot));
      if (!agrees.ok()) return agrees;
      if (!agrees.value()) silent++;
    }
    return silent == 0;
  }

  Result<bool> Ask(uint16_t slot) {
    Status sent = asking_->Send(slot);
    if (!sent.ok()) return sent.failure();
    int suspects = 0;
    for (int wait = 0; wait <= kWaits && suspects == 0; wait++) {
      Result<bool> answered = asking_->IsAnswered();
      if (!answered.ok() || answered.value()) return answered;
      for (; suspects < kSuspects; suspects++) {
        Result<int> suspect = FindDropped();
        if (!suspect.ok()) return suspect.failure();
        if (suspect.value() < 0) break;
        Result<bool> confirmed = Confirm(static_cast<size_t>(suspect.value()), slot);
        if (!confirmed.ok() || confirmed.value()) return confirmed;
      }
      if (suspects == 0) (void)sys_.poll(nullptr, 0, kWait);
    }
    return false;
  }

  // A listener without a slot that has dropped something since it was last looked at; -1 if there is none. Goes on from
  // the latest find, because listeners are mostly given in the order of their slots.
  Result<int> FindDropped() {
    for (size_t looked = 0; looked < slots_.size(); looked++, next_++) {
      const size_t i = next_ % slots_.size();
      if (slots_[i] != -1) continue;
      Result<uint32_t> drops = Drops(sys_, probe_.listeners[i]);
      if (!drops.ok()) return drops.failure();
      if (drops.value() == drops_[i]) continue;
      drops_[i] = drops.value();
      return static_cast<int>(i);
    }
    return -1;
  }

  Result<bool> Confirm(size_t i, uint16_t slot) {
    Status lowered = raised_.Lower(i);
    if (!lowered.ok()) return lowered.failure();
    Status sent = confirming_->Send(slot);
    if (!sent.ok()) return sent.failure();
    bool is_answered = false;
    for (int wait = 0; wait <= kWaits && !is_answered; wait++) {
      if (wait > 0) (void)sys_.poll(nullptr, 0, kWait);
      Result<bool> answered = confirming_->IsAnswered();
      if (!answered.ok()) return answered;
      is_answered = answered.value();
    }
    Result<bool> late = asking_->IsAnswered();
    if (!late.ok()) return late;
    if (is_answered && !late.value()) {
      slots_[i] = slot;
      return true;
    }
    Status raised = raised_.Raise(i);
    if (!raised.ok()) return raised.failure();
    return false;
  }

  const Sys& sys_;
  const SlotProbe& probe_;
  RaisedMinTtl raised_;
  Orphan* asking_;
  Orphan* confirming_;
  std::vector<int> slots_;
  std::vector<uint32_t> drops_;
  size_t next_ = 0;
};

// `agrees`: whether the probe can be relied on, here.
Result<std::vector<int>> LearnByPayload(const Sys& sys, const SlotProbe& probe, bool* agrees) {
  struct stat listener {};
  if (sys.fstat(probe.listeners.front(), &listener) != 0) return Failure{errno, "fstat"};
  Orphan asking(sys, probe.target, probe.device, listener.st_uid);
  Orphan confirming(sys, probe.target, probe.device, listener.st_uid);
  Status opened = asking.Open();
  if (opened.ok()) opened = confirming.Open();
  if (!opened.ok()) return opened.failure();
  Result<Program> program = PayloadProgram({asking.port(), confirming.port()});
  if (!program.ok()) return program.failure();

  Prober prober(sys, probe, &asking, &confirming);
  Status prepared = prober.Prepare();
  if (!prepared.ok()) return prepared.failure();
  Status attached = AttachProgram(sys, probe.listeners.front(), program.value());
  if (!attached.ok()) return attached.failure();
  Result<bool> ran = prober.Run();
  if (!ran.ok()) {
    (void)DetachProgram(sys, probe.listeners.front());
    return ran.failure();
  }
  *agrees = ran.value();
  return prober.slots();
}

// Why the other end of a connection cannot have the port of the group, or packets are lost: a port that only root may
// bind, another user's group, a firewall that drops packets without a connection.
bool IsInTheWay(const Failure& failure) {
  constexpr int kErrors[] = {EACCES, EPERM, EADDRINUSE, ETIMEDOUT, ECONNRESET, ECONNREFUSED, EPIPE};
  const std::string call = failure.call;
  // A user namespace may have no number for the owner of the group.
  if (call == "fchown") return true;
  return std::find(std::begin(kErrors), std::end(kErrors), failure.error) != std::end(kErrors) && call != "setsockopt";
}

}  // namespace

Result<std::vector<int>> LearnSlots(const Sys& sys, const SlotProbe& given) {
  if (given.listeners.empty() || given.members == 0) return Failure{EINVAL, "probe"};
  SlotProbe probe = given;
  probe.target = given.target.AtInterface(static_cast<uint32_t>(given.device));
  bool agrees = false;
  Result<std::vector<int>> slots = LearnByPayload(sys, probe, &agrees);
  if (slots.ok() ? agrees : !IsInTheWay(slots.failure())) return slots;
  return LearnBySyns(sys, probe);
}

}  // namespace reuseport
