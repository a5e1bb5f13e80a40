// libFuzzer: parses any datagram. The first byte is the sequence number that the parser expects, the rest is the
// datagram.

#include "platform/linux/dump_parser.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // A copy of exactly this size, so that the sanitizer detects a read beyond its end.
  const std::vector<uint8_t> datagram(data + 1, data + size);
  std::vector<reuseport::SocketRow> rows;
  reuseport::Result<reuseport::DumpProgress> progress =
      reuseport::ParseDump(datagram.data(), datagram.size(), data[0], &rows);
  // Each socket needs 88 bytes: the netlink header and struct inet_diag_msg. An errno is positive.
  if (rows.size() > datagram.size() / 88) std::abort();
  if (!progress.ok() && progress.failure().error <= 0) std::abort();
  for (const reuseport::SocketRow& row : rows) {
    if (row.address.empty()) std::abort();
  }
  return 0;
}
