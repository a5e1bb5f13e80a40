#include "platform/linux/netlink_dump.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <cstring>

#include "platform/platform.h"

namespace reuseport {

Result<UniqueFd> StartDump(const Sys& sys, const void* request, size_t size, uint32_t sequence) {
  Result<UniqueFd> netlink = OpenSocket(sys, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
  if (!netlink.ok()) return netlink;
  const int fd = netlink.value().get();

  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(sizeof(header) + size);
  header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  header.nlmsg_seq = sequence;
  std::vector<uint8_t> message(header.nlmsg_len);
  std::memcpy(message.data(), &header, sizeof(header));
  std::memcpy(message.data() + sizeof(header), request, size);

  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const auto* address = reinterpret_cast<const sockaddr*>(&kernel);
  if (sys.sendto(fd, message.data(), message.size(), 0, address, sizeof(kernel)) < 0) return Failure{errno, "sendto"};
  return netlink;
}

Result<size_t> ReceiveReply(const Sys& sys, int fd, std::vector<uint8_t>* buffer) {
  for (;;) {
    sockaddr_nl sender{};
    socklen_t sender_size = sizeof(sender);
    // With MSG_TRUNC it says how long the datagram is rather than how much of it there was room for.
    const ssize_t length =
        sys.recvfrom(fd, buffer->data(), buffer->size(), MSG_TRUNC, reinterpret_cast<sockaddr*>(&sender), &sender_size);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return Failure{errno, "recvfrom"};
    if (sender_size != sizeof(sender) || sender.nl_pid != 0) continue;
    if (static_cast<size_t>(length) > buffer->size()) return Failure{EMSGSIZE, "recvfrom"};
    return static_cast<size_t>(length);
  }
}

}  // namespace reuseport
