#include "core/socket_dump.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include <cerrno>

#include "platform/linux/dump_parser.h"

namespace reuseport {
namespace {

struct Message {
  nlmsghdr header;
  inet_diag_req_v2 request;
};

// The kernel sends at most 32 kB in one datagram.
constexpr size_t kBufferSize = 65536;
constexpr int kAttempts = 10;

Result<UniqueFd> OpenNetlink(const Sys& sys) {
  const int fd = sys.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
  if (fd < 0) return Failure{errno, "socket"};
  return UniqueFd(sys, fd);
}

Status Send(const Sys& sys, int fd, const DumpRequest& request, uint32_t sequence) {
  Message message{};
  message.header.nlmsg_len = sizeof(message);
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.header.nlmsg_seq = sequence;
  message.request.sdiag_family = static_cast<uint8_t>(request.family);
  message.request.sdiag_protocol = request.transport == Transport::kTcp ? IPPROTO_TCP : IPPROTO_UDP;
  message.request.idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1);
  message.request.idiag_states = request.states;
  message.request.id.idiag_sport = htons(request.port);

  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (sys.sendto(fd, &message, sizeof(message), 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof(kernel)) < 0) {
    return Failure{errno, "sendto"};
  }
  return Done{};
}

// Receives one datagram from the kernel. Datagrams from other processes are skipped.
Result<size_t> Receive(const Sys& sys, int fd, std::vector<uint8_t>* buffer) {
  for (;;) {
    sockaddr_nl sender{};
    socklen_t sender_size = sizeof(sender);
    // With MSG_TRUNC recvfrom() returns the length of the datagram, even if the buffer is shorter.
    const ssize_t length =
        sys.recvfrom(fd, buffer->data(), buffer->size(), MSG_TRUNC, reinterpret_cast<sockaddr*>(&sender), &sender_size);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return Failure{errno, "recvfrom"};
    if (sender_size != sizeof(sender) || sender.nl_pid != 0) continue;
    if (static_cast<size_t>(length) > buffer->size()) return Failure{EMSGSIZE, "recvfrom"};
    return static_cast<size_t>(length);
  }
}

// nullopt if sockets changed during the dump.
Result<std::optional<std::vector<SocketRow>>> TryToDump(const Sys& sys, const DumpRequest& request, uint32_t sequence) {
  Result<UniqueFd> netlink = OpenNetlink(sys);
  if (!netlink.ok()) return netlink.failure();
  const int fd = netlink.value().get();
  Status sent = Send(sys, fd, request, sequence);
  if (!sent.ok()) return sent.failure();

  std::vector<SocketRow> rows;
  std::vector<uint8_t> buffer(kBufferSize);
  for (;;) {
    Result<size_t> length = Receive(sys, fd, &buffer);
    if (!length.ok()) return length.failure();
    Result<DumpProgress> progress = ParseDump(buffer.data(), length.value(), sequence, &rows);
    if (!progress.ok()) return progress.failure();
    switch (progress.value()) {
      case DumpProgress::kMore:
        break;
      case DumpProgress::kDone:
        return std::optional<std::vector<SocketRow>>(std::move(rows));
      case DumpProgress::kInterrupted:
        return std::optional<std::vector<SocketRow>>();
      case DumpProgress::kMalformed:
        return Failure{EBADMSG, "recvfrom"};
    }
  }
}

}  // namespace

Result<std::vector<SocketRow>> DumpSockets(const Sys& sys, const DumpRequest& request) {
  for (uint32_t attempt = 1; attempt <= kAttempts; attempt++) {
    // Each attempt has its own socket, whose queue cannot contain replies to an earlier attempt.
    Result<std::optional<std::vector<SocketRow>>> rows = TryToDump(sys, request, attempt);
    if (!rows.ok()) return rows.failure();
    if (rows.value()) return std::move(*rows.value());
  }
  return Failure{EAGAIN, "recvfrom"};
}

}  // namespace reuseport
