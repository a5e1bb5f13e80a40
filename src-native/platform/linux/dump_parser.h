#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/socket_dump.h"

namespace reuseport {

enum class DumpProgress {
  kMore,         // the dump continues in the next datagram
  kDone,         // the dump is complete
  kInterrupted,  // sockets changed during the dump: some may be missing or listed twice (NLM_F_DUMP_INTR)
  kMalformed,    // the datagram is not a reply of the kernel
};

// Reads one datagram of a NETLINK_SOCK_DIAG dump (sock_diag(7), netlink(7)) and adds its sockets to `rows`. Messages
// with another sequence number belong to another request and are skipped. An error that the kernel reports is a
// failure.
Result<DumpProgress> ParseDump(const uint8_t* data, size_t length, uint32_t sequence, std::vector<SocketRow>* rows);

}  // namespace reuseport
