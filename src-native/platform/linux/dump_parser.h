#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/socket_dump.h"
#include "platform/linux/netlink_reply.h"

namespace reuseport {

// Reads one datagram of a NETLINK_SOCK_DIAG dump (sock_diag(7), netlink(7)) and adds its sockets to `rows`. Messages of
// another sequence are another request's and passed over. An error that the kernel reports is a failure.
Result<DumpProgress> ParseDump(const uint8_t* data, size_t length, uint32_t sequence, std::vector<SocketRow>* rows);

}  // namespace reuseport
