#include "platform/linux/dump_parser.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace reuseport {
namespace {

// Older headers lack this attribute. The kernel has sent it since 4.16.
constexpr uint16_t kIpv6OnlyAttribute = 11;

// Bytes of which only `size` may be read. Values are copied out, because replies are aligned to 4 bytes only and C++
// types may require more.
struct Bytes {
  const uint8_t* data;
  size_t size;

  template <typename T>
  bool Read(T* out) const {
    if (size < sizeof(T)) return false;
    std::memcpy(out, data, sizeof(T));
    return true;
  }

  Bytes From(size_t offset) const {
    return offset >= size ? Bytes{data + size, 0} : Bytes{data + offset, size - offset};
  }

  Bytes Upto(size_t length) const { return {data, length < size ? length : size}; }
};

constexpr size_t Align(size_t length) {
  return (length + 3) & ~static_cast<size_t>(3);
}

std::string AddressText(int family, const void* bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family, bytes, text, sizeof(text));
  return text;
}

void ReadMemory(const Bytes& payload, SocketRow* row) {
  uint32_t value = 0;
  if (payload.From(SK_MEMINFO_RCVBUF * sizeof(value)).Read(&value)) row->receive_buffer = value;
  // Since Linux 4.5.
  if (payload.From(SK_MEMINFO_DROPS * sizeof(value)).Read(&value)) row->drops = value;
}

bool ReadAttributes(Bytes rest, SocketRow* row) {
  while (rest.size >= sizeof(nlattr)) {
    nlattr header{};
    rest.Read(&header);
    if (header.nla_len < sizeof(header) || header.nla_len > rest.size) return false;
    const Bytes payload = rest.Upto(header.nla_len).From(sizeof(header));
    const auto type = static_cast<uint16_t>(header.nla_type & NLA_TYPE_MASK);
    uint8_t flag = 0;
    if (type == INET_DIAG_SKMEMINFO) ReadMemory(payload, row);
    if (type == kIpv6OnlyAttribute && payload.Read(&flag)) row->ipv6_only = flag != 0;
    rest = rest.From(Align(header.nla_len));
  }
  return true;
}

bool ReadSocket(const Bytes& message, SocketRow* row) {
  inet_diag_msg socket{};
  if (!message.Read(&socket)) return false;
  if (socket.idiag_family != AF_INET && socket.idiag_family != AF_INET6) return false;
  row->state = socket.idiag_state;
  row->port = ntohs(socket.id.idiag_sport);
  row->address = AddressText(socket.idiag_family, socket.id.idiag_src);
  if (row->state == TCP_SYN_RECV) {
    row->peer =
        AddressText(socket.idiag_family, socket.id.idiag_dst) + " " + std::to_string(ntohs(socket.id.idiag_dport));
  }
  row->device = socket.id.idiag_if;
  row->inode = socket.idiag_inode;
  row->cookie = (static_cast<uint64_t>(socket.id.idiag_cookie[1]) << 32) | socket.id.idiag_cookie[0];
  row->uid = socket.idiag_uid;
  row->queued = socket.idiag_rqueue;
  row->limit = socket.idiag_wqueue;
  return ReadAttributes(message.From(Align(sizeof(socket))), row);
}

// The payload of NLMSG_DONE and NLMSG_ERROR is an error number, negative or 0.
Result<DumpProgress> End(const Bytes& message, bool needs_error) {
  int32_t error = 0;
  if (!message.Read(&error)) return needs_error ? DumpProgress::kMalformed : DumpProgress::kDone;
  if (error > 0) return DumpProgress::kMalformed;
  if (error == 0) return DumpProgress::kDone;
  // No errno is that large, and the negation of the smallest integer would overflow.
  if (error < -4095) return DumpProgress::kMalformed;
  return Failure{-error, "recvfrom"};
}

}  // namespace

Result<DumpProgress> ParseDump(const uint8_t* data, size_t length, uint32_t sequence, std::vector<SocketRow>* rows) {
  Bytes rest{data, length};
  bool interrupted = false;
  while (rest.size > 0) {
    nlmsghdr header{};
    if (!rest.Read(&header) || header.nlmsg_len < sizeof(header) || header.nlmsg_len > rest.size) {
      return DumpProgress::kMalformed;
    }
    const Bytes message = rest.Upto(header.nlmsg_len).From(sizeof(header));
    rest = rest.From(Align(header.nlmsg_len));
    if (header.nlmsg_seq != sequence) continue;
    if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted = true;
    if (header.nlmsg_type == NLMSG_ERROR) return End(message, true);
    if (header.nlmsg_type == NLMSG_DONE) {
      return interrupted ? Result<DumpProgress>(DumpProgress::kInterrupted) : End(message, false);
    }
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) continue;
    SocketRow row;
    if (!ReadSocket(message, &row)) return DumpProgress::kMalformed;
    rows->push_back(std::move(row));
  }
  return interrupted ? DumpProgress::kInterrupted : DumpProgress::kMore;
}

}  // namespace reuseport
