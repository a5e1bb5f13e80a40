// libFuzzer: any datagram. The first byte chooses what the parser expects, the rest is what it gets.

#include "platform/linux/unix_name_parser.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // A copy of exactly this size, so that a step beyond it is seen.
  const std::vector<uint8_t> datagram(data + 1, data + size);
  std::vector<reuseport::UnixName> rows;
  reuseport::Result<reuseport::DumpProgress> progress =
      reuseport::ParseUnixNames(datagram.data(), datagram.size(), data[0], &rows);
  if (!progress.ok() && progress.failure().error <= 0) std::abort();
  // No socket takes less than its header, itself, the header of its name and that.
  size_t least = 0;
  for (const reuseport::UnixName& row : rows) {
    if (row.name.empty()) std::abort();
    least += 36 + row.name.size();
  }
  if (least > datagram.size()) std::abort();
  return 0;
}
