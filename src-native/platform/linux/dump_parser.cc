#include "platform/linux/dump_parser.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>

#include <string>
#include <utility>

namespace reuseport {
namespace {

// Older headers lack this attribute. The kernel has sent it since 4.16.
constexpr uint16_t kIpv6OnlyAttribute = 11;

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

bool ReadSocketAttributes(const Bytes& attributes, SocketRow* row) {
  return ReadAttributes(attributes, [row](uint16_t type, const Bytes& payload) {
    uint8_t flag = 0;
    if (type == INET_DIAG_SKMEMINFO) ReadMemory(payload, row);
    if (type == kIpv6OnlyAttribute && payload.Read(&flag)) row->ipv6_only = flag != 0;
  });
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
  return ReadSocketAttributes(message.From(Align(sizeof(socket))), row);
}

}  // namespace

Result<DumpProgress> ParseDump(const uint8_t* data, size_t length, uint32_t sequence, std::vector<SocketRow>* rows) {
  return ReadReply({data, length}, sequence, [rows](const Bytes& message) {
    SocketRow row;
    if (!ReadSocket(message, &row)) return false;
    rows->push_back(std::move(row));
    return true;
  });
}

}  // namespace reuseport
