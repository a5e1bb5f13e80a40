// libFuzzer: reads any bytes, of any length, as the value that the kernel gives for an option, and sets an option to
// any number or text.

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/option_table.h"
#include "core/socket_option.h"
#include "fake_sys.h"

using reuseport::OptionValue;
using reuseport::Result;
using reuseport::SocketOption;

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 10) return 0;
  static const reuseport::Sys kSys = fuzz::FakeSys();
  const reuseport::SocketOptionTable table = reuseport::SocketOptions();
  const auto count = static_cast<size_t>(table.end() - table.begin());
  const SocketOption& option = *(table.begin() + data[0] % count);
  const int family = (data[1] & 1) != 0 ? AF_INET6 : AF_INET;
  const std::vector<uint8_t> bytes(data + 10, data + size);
  fuzz::answer = {bytes.data(), bytes.size(), static_cast<socklen_t>(data[1] << 8 | data[2])};

  Result<OptionValue> got = reuseport::GetSocketOption(kSys, 0, family, option);
  if (!got.ok() && got.failure().error <= 0) std::abort();
  if (got.ok()) {
    const OptionValue& value = got.value();
    if (value.text.size() > bytes.size() || value.text.find('\0') != std::string::npos) std::abort();
    if (!reuseport::IsText(option.wire) && !value.text.empty()) std::abort();
  }

  OptionValue wanted;
  std::memcpy(&wanted.number, data + 2, sizeof(wanted.number));
  wanted.text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!reuseport::SetSocketOption(kSys, 0, family, option, wanted).ok() && reuseport::IsText(option.wire)) {
    // The code refuses a text option before the kernel only if this system or family lacks the option.
    const reuseport::KernelOption& kernel = family == AF_INET6 ? option.ipv6 : option.ipv4;
    if (kernel.name >= 0) std::abort();
  }
  if (!reuseport::SetRawOption(kSys, 0, {SOL_SOCKET, data[3]}, wanted.text).ok()) std::abort();
  return 0;
}
