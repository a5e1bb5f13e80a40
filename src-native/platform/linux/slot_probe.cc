#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

#include "core/enable_option.h"
#include "core/steering.h"
#include "platform/linux/raised_min_ttl.h"
#include "platform/platform.h"

// How a listener finds its own slot. The program of the probe sends SYNs from the port of client k to slot k.
// - The listener sets a minimum TTL that is higher than the TTL of these SYNs. If the listener is in slot k, the kernel
//   drops the SYN, and the listener's count of drops rises. Any other member answers the SYN. But the client has a
//   minimum TTL as well: the kernel drops the answer, and the client's count of drops rises. So no handshake completes,
//   and the two counts must agree.
// - A second SYN follows from the same port at once. Its sequence number is inside the window that the first opened. To
//   the kernel that is an error of the connection, and it removes the half-open connection (RFC 9293, 3.10.7.4). The
//   second SYN also confirms the result of the first.

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

namespace reuseport {
namespace {

constexpr int kProbeTtl = 1;
constexpr int kListenerMinTtl = 2;
constexpr int kClientMinTtl = 255;
constexpr size_t kMemoryDrops = 8;  // SK_MEMINFO_DROPS
constexpr uint32_t kSyns = 2;
constexpr int kRounds = 4;

// Inside the default range from which the kernel chooses ports for clients (net.ipv4.ip_local_port_range).
constexpr uint32_t kFirstPort = 32768;
constexpr uint32_t kPorts = 28000;
constexpr uint32_t kPortAttempts = 200;

Result<uint32_t> Drops(const Sys& sys, int fd) {
  uint32_t memory[kMemoryDrops + 1] = {};
  socklen_t length = sizeof(memory);
  if (sys.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length) != 0) return Failure{errno, "getsockopt"};
  if (length < sizeof(memory)) return Failure{EOPNOTSUPP, "getsockopt"};
  return memory[kMemoryDrops];
}

struct Client {
  UniqueFd fd;
  uint16_t port;
};

Result<SocketAddress> WithPort(const SocketAddress& address, uint16_t port) {
  return SocketAddress::Parse(address.family(), address.Text(), port);
}

Status Configure(const Sys& sys, int fd, int family) {
  const MinTtl min_ttl = MinTtlOf(family);
  Status set = family == AF_INET ? EnableOption(sys, fd, IPPROTO_IP, IP_TTL, kProbeTtl)
                                 : EnableOption(sys, fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, kProbeTtl);
  return set.ok() ? EnableOption(sys, fd, min_ttl.level, min_ttl.name, kClientMinTtl) : set;
}

// Opens a client that is bound to an explicit port: the kernel keeps such a port from one connect() to the next.
Result<Client> OpenClient(const Sys& sys, const SocketAddress& target, uint32_t* next_port) {
  Result<UniqueFd> fd = OpenSocket(sys, target.family(), SOCK_STREAM, IPPROTO_TCP);
  if (!fd.ok()) return fd.failure();
  Status configured = Configure(sys, fd.value().get(), target.family());
  if (!configured.ok()) return configured.failure();
  for (uint32_t attempt = 0; attempt < kPortAttempts; attempt++) {
    const auto port = static_cast<uint16_t>(kFirstPort + (*next_port)++ % kPorts);
    Result<SocketAddress> local = WithPort(target, port);
    if (!local.ok()) return local.failure();
    if (sys.bind(fd.value().get(), local.value().data(), local.value().size()) == 0) {
      return Client{std::move(fd.value()), port};
    }
    if (errno != EADDRINUSE) return Failure{errno, "bind"};
  }
  return Failure{EADDRINUSE, "bind"};
}

Status Connect(const Sys& sys, int fd, const sockaddr* address, socklen_t size) {
  if (sys.connect(fd, address, size) != 0 && errno != EINPROGRESS) return Failure{errno, "connect"};
  return Done{};
}

Status SendSyns(const Sys& sys, int fd, const SocketAddress& target) {
  sockaddr_storage none{};
  none.ss_family = AF_UNSPEC;
  for (uint32_t sent = 0; sent < kSyns; sent++) {
    Status status = Connect(sys, fd, target.data(), target.size());
    // Cancels the connection attempt. Never before the first SYN: the kernel chooses the first sequence number of a
    // socket that has cancelled no attempt; later attempts continue from there. Only a number that the kernel chose is
    // certain to be beyond those of an earlier connection between the same ports that is still in TIME_WAIT. A SYN with
    // any other number may be lost there.
    if (status.ok()) status = Connect(sys, fd, reinterpret_cast<const sockaddr*>(&none), target.size());
    if (!status.ok()) return status;
  }
  return Done{};
}

class Prober {
 public:
  Prober(const Sys& sys, const SlotProbe& probe)
      : sys_(sys), probe_(probe), slots_(probe.listeners.size(), -1), candidates_(probe.listeners.size()) {}

  Result<std::vector<int>> Run(const std::vector<Client>& clients) {
    for (int round = 0; round < kRounds && HasUnknown(); round++) {
      for (std::vector<int>& candidates : candidates_) candidates.clear();
      for (size_t slot = 0; slot < clients.size(); slot++) {
        Status status = Ask(clients[slot], static_cast<int>(slot));
        if (!status.ok()) return status.failure();
      }
      Status status = Confirm(clients);
      if (!status.ok()) return status.failure();
    }
    return slots_;
  }

 private:
  bool HasUnknown() const { return std::find(slots_.begin(), slots_.end(), -1) != slots_.end(); }

  Result<std::vector<uint32_t>> AllDrops() {
    std::vector<uint32_t> all;
    for (const int listener : probe_.listeners) {
      Result<uint32_t> drops = Drops(sys_, listener);
      if (!drops.ok()) return drops.failure();
      all.push_back(drops.value());
    }
    return all;
  }

  // Sends SYNs to a slot, and notes it as a candidate of each listener that has dropped them.
  Status Ask(const Client& client, int slot) {
    const int fd = client.fd.get();
    Result<uint32_t> answers = Drops(sys_, fd);
    if (!answers.ok()) return answers.failure();
    Result<std::vector<uint32_t>> before = AllDrops();
    if (!before.ok()) return before.failure();
    Status sent = SendSyns(sys_, fd, probe_.target);
    if (!sent.ok()) return sent;
    Result<std::vector<uint32_t>> after = AllDrops();
    if (!after.ok()) return after.failure();
    Result<uint32_t> answers_after = Drops(sys_, fd);
    if (!answers_after.ok()) return answers_after.failure();
    if (answers_after.value() != answers.value()) return Done{};
    for (size_t i = 0; i < candidates_.size(); i++) {
      if (after.value()[i] - before.value()[i] >= kSyns) candidates_[i].push_back(slot);
    }
    return Done{};
  }

  // A slot is certain if it was the only candidate of the listener and a second probe of it gives the same result.
  Status Confirm(const std::vector<Client>& clients) {
    std::vector<std::vector<int>> first = candidates_;
    for (size_t i = 0; i < first.size(); i++) {
      if (slots_[i] != -1 || first[i].size() != 1) continue;
      const int slot = first[i].front();
      candidates_[i].clear();
      Status asked = Ask(clients[static_cast<size_t>(slot)], slot);
      if (!asked.ok()) return asked;
      if (candidates_[i].size() == 1) slots_[i] = slot;
    }
    return Done{};
  }

  const Sys& sys_;
  const SlotProbe& probe_;
  std::vector<int> slots_;
  std::vector<std::vector<int>> candidates_;
};

}  // namespace

Result<std::vector<int>> LearnSlots(const Sys& sys, const SlotProbe& probe) {
  if (probe.listeners.empty() || probe.members == 0) return Failure{EINVAL, "probe"};
  const int family = probe.target.family();
  auto next_port = static_cast<uint32_t>(std::chrono::steady_clock::now().time_since_epoch().count());

  std::vector<Client> clients;
  std::vector<ProbePort> ports;
  for (uint32_t slot = 0; slot < probe.members; slot++) {
    Result<Client> client = OpenClient(sys, probe.target, &next_port);
    if (!client.ok()) return client.failure();
    ports.push_back({client.value().port, slot});
    clients.push_back(std::move(client.value()));
  }
  Result<Program> program = ProbeProgram(Transport::kTcp, ports);
  if (!program.ok()) return program.failure();

  RaisedMinTtl raised(sys, family);
  for (const int listener : probe.listeners) {
    Status status = raised.Raise(listener, kListenerMinTtl);
    if (!status.ok()) return status.failure();
  }
  Status attached = AttachProgram(sys, probe.listeners.front(), program.value());
  if (!attached.ok()) return attached.failure();
  Result<std::vector<int>> slots = Prober(sys, probe).Run(clients);
  if (!slots.ok()) (void)DetachProgram(sys, probe.listeners.front());
  return slots;
}

}  // namespace reuseport
