// libFuzzer: parses any text as an address, and reads any bytes as the result of getsockname().

#include "core/address.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "fake_sys.h"

using reuseport::Result;
using reuseport::SocketAddress;

namespace {

void Check(const SocketAddress& address, int family) {
  const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (address.family() != family || address.size() != size) std::abort();
  const std::string text = address.Text();
  if (text.empty() || text.find('\0') != std::string::npos) std::abort();
  // Parsing the printed text must give the same address.
  Result<SocketAddress> again = SocketAddress::Parse(family, text, address.port());
  if (!again.ok() || again.value().Text() != text || again.value().port() != address.port()) std::abort();
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 3), size - 3);
  const auto port = static_cast<uint16_t>(data[0] << 8 | data[1]);
  for (const int family : {AF_INET, AF_INET6}) {
    Result<SocketAddress> parsed = SocketAddress::Parse(family, text, port);
    if (!parsed.ok()) continue;
    if (parsed.value().port() != port) std::abort();
    Check(parsed.value(), family);
  }
  static const reuseport::Sys kSys = fuzz::FakeSys();
  const std::vector<uint8_t> bytes(data + 3, data + size);
  fuzz::answer = {bytes.data(), bytes.size(), data[2]};
  Result<SocketAddress> told = SocketAddress::OfSocket(kSys, 0);
  if (told.ok()) Check(told.value(), told.value().family());
  return 0;
}
