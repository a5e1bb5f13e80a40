#include "platform/linux/unix_name_parser.h"

#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <utility>

namespace reuseport {
namespace {

// Older headers lack it; the kernel has sent it since 5.3.
constexpr uint16_t kUidAttribute = 7;

bool ReadName(const Bytes& message, UnixName* row) {
  unix_diag_msg socket{};
  if (!message.Read(&socket) || socket.udiag_family != AF_UNIX) return false;
  row->type = socket.udiag_type;
  row->state = socket.udiag_state;
  return ReadAttributes(message.From(Align(sizeof(socket))), [row](uint16_t type, const Bytes& payload) {
    uint32_t uid = 0;
    if (type == UNIX_DIAG_NAME) row->name.assign(reinterpret_cast<const char*>(payload.data), payload.size);
    if (type == kUidAttribute && payload.Read(&uid)) row->uid = uid;
  });
}

}  // namespace

Result<DumpProgress> ParseUnixNames(const uint8_t* data, size_t length, uint32_t sequence,
                                    std::vector<UnixName>* rows) {
  return ReadReply({data, length}, sequence, [rows](const Bytes& message) {
    UnixName row;
    if (!ReadName(message, &row)) return false;
    if (!row.name.empty()) rows->push_back(std::move(row));
    return true;
  });
}

}  // namespace reuseport
