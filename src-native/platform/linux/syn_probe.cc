#include "platform/linux/syn_probe.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "core/enable_option.h"
#include "platform/linux/probe_socket.h"
#include "platform/linux/raised_min_ttl.h"
#include "platform/platform.h"

// How a listener finds its own slot by SYNs. The program of the probe sends SYNs from the port of client k to slot k.
// - The listener sets a minimum TTL that is higher than the TTL of these SYNs. If the listener is in slot k, the kernel
//   drops the SYN, and the listener's count of drops rises. Any other member answers the SYN. But the client has a
//   minimum TTL as well: the kernel drops the answer, and the client's count of drops rises. So no handshake completes,
//   and the two counts must agree.
// - A second SYN follows from the same port at once. Its sequence number is inside the window that the first opened. To
//   the kernel that is an error of the connection, and it removes the half-open connection (RFC 9293, 3.10.7.4). The
//   second SYN also confirms the result of the first.
// - If the answer passes all the same, the handshake completes. So the first such SYN is the last one.

namespace reuseport {
namespace {

constexpr uint32_t kSyns = 2;
constexpr int kRounds = 4;

// Inside the default range from which the kernel chooses ports for clients (net.ipv4.ip_local_port_range).
constexpr uint32_t kFirstPort = 32768;
constexpr uint32_t kPorts = 28000;
constexpr uint32_t kPortAttempts = 200;

struct Client {
  UniqueFd fd;
  uint16_t port;
};

Status Configure(const Sys& sys, int fd, int family, int device) {
  Status set = BindToInterface(sys, fd, device);
  if (set.ok()) set = SetTtl(sys, fd, family, kProbeTtl);
  return set.ok() ? SetMinTtl(sys, fd, family, kHighestTtl) : set;
}

// Opens a client that is bound to an explicit port: the kernel keeps such a port from one connect() to the next.
Result<Client> OpenClient(const Sys& sys, const SlotProbe& probe, uint32_t* next_port) {
  const SocketAddress& target = probe.target;
  Result<UniqueFd> fd = OpenSocket(sys, target.family(), SOCK_STREAM, IPPROTO_TCP);
  if (!fd.ok()) return fd.failure();
  Status configured = Configure(sys, fd.value().get(), target.family(), probe.device);
  if (!configured.ok()) return configured.failure();
  for (uint32_t attempt = 0; attempt < kPortAttempts; attempt++) {
    const auto port = static_cast<uint16_t>(kFirstPort + (*next_port)++ % kPorts);
    const SocketAddress local = target.WithPort(port);
    if (sys.bind(fd.value().get(), local.data(), local.size()) == 0) {
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

// Cancels a connection attempt. Never before the first SYN: the kernel chooses the first sequence number of a socket
// that has cancelled no attempt; later attempts continue from there. Only a number that the kernel chose is certain to
// be beyond those of an earlier connection between the same ports that is still in TIME_WAIT. A SYN with any other
// number may be lost there.
Status Cancel(const Sys& sys, int fd, const SocketAddress& target) {
  sockaddr_storage none{};
  none.ss_family = AF_UNSPEC;
  return Connect(sys, fd, reinterpret_cast<const sockaddr*>(&none), target.size());
}

class Prober {
 public:
  Prober(const Sys& sys, const SlotProbe& probe)
      : sys_(sys), probe_(probe), slots_(probe.listeners.size(), -1), candidates_(probe.listeners.size()) {}

  Result<std::vector<int>> Run(const std::vector<Client>& clients) {
    bool agrees = true;
    for (int round = 0; round < kRounds && agrees && HasUnknown(); round++) {
      for (std::vector<int>& candidates : candidates_) candidates.clear();
      for (size_t slot = 0; slot < clients.size() && agrees; slot++) {
        Status status = Ask(clients[slot], static_cast<int>(slot), &agrees);
        if (!status.ok()) return status.failure();
      }
      Status status = agrees ? Confirm(clients, &agrees) : Status(Done{});
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
  Status Ask(const Client& client, int slot, bool* agrees) {
    const int fd = client.fd.get();
    Result<uint32_t> answers = Drops(sys_, fd);
    if (!answers.ok()) return answers.failure();
    Result<std::vector<uint32_t>> before = AllDrops();
    if (!before.ok()) return before.failure();
    const Counts counts = {answers.value(), before.value()};
    for (uint32_t sent = 0; sent < kSyns && *agrees; sent++) {
      Status status = Connect(sys_, fd, probe_.target.data(), probe_.target.size());
      if (status.ok() && sent == 0) status = WaitForCount(fd, counts, agrees);
      if (status.ok()) status = Cancel(sys_, fd, probe_.target);
      if (!status.ok()) return status;
    }
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

  struct Counts {
    uint32_t client;
    const std::vector<uint32_t>& listeners;
  };

  // Waits until the client or a listener has dropped something. `agrees` becomes false where the handshake has
  // completed.
  Status WaitForCount(int client, const Counts& before, bool* agrees) {
    for (int wait = 0; wait <= kWaits; wait++) {
      if (wait > 0) (void)sys_.poll(nullptr, 0, kWait);
      Result<uint32_t> answers = Drops(sys_, client);
      if (!answers.ok()) return answers.failure();
      if (answers.value() != before.client) return Done{};
      Result<std::vector<uint32_t>> drops = AllDrops();
      if (!drops.ok()) return drops.failure();
      if (drops.value() != before.listeners) return Done{};
      tcp_info info{};
      socklen_t length = sizeof(info);
      if (sys_.getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return Failure{errno, "getsockopt"};
      *agrees = info.tcpi_state == TCP_SYN_SENT;
      if (!*agrees) return Done{};
    }
    return Done{};
  }

  // A slot is certain if it was the only candidate of the listener and a second probe of it gives the same result.
  Status Confirm(const std::vector<Client>& clients, bool* agrees) {
    std::vector<std::vector<int>> first = candidates_;
    for (size_t i = 0; i < first.size(); i++) {
      if (slots_[i] != -1 || first[i].size() != 1) continue;
      const int slot = first[i].front();
      candidates_[i].clear();
      Status asked = Ask(clients[static_cast<size_t>(slot)], slot, agrees);
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

Result<std::vector<int>> LearnBySyns(const Sys& sys, const SlotProbe& probe) {
  auto next_port = static_cast<uint32_t>(std::chrono::steady_clock::now().time_since_epoch().count());

  std::vector<Client> clients;
  std::vector<ProbePort> ports;
  for (uint32_t slot = 0; slot < probe.members; slot++) {
    Result<Client> client = OpenClient(sys, probe, &next_port);
    if (!client.ok()) return client.failure();
    ports.push_back({client.value().port, slot});
    clients.push_back(std::move(client.value()));
  }
  Result<Program> program = ProbeProgram(ports);
  if (!program.ok()) return program.failure();

  RaisedMinTtl raised(sys, probe.target.family());
  for (const int listener : probe.listeners) {
    Status status = raised.Add(listener);
    if (!status.ok()) return status.failure();
  }
  Status attached = AttachProgram(sys, probe.listeners.front(), program.value());
  if (!attached.ok()) return attached.failure();
  Result<std::vector<int>> slots = Prober(sys, probe).Run(clients);
  if (!slots.ok()) (void)DetachProgram(sys, probe.listeners.front());
  return slots;
}

}  // namespace reuseport
