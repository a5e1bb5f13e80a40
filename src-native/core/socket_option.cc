#include "core/socket_option.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/system_names.h"

namespace reuseport {
namespace {

// struct accept_filter_arg: a name of 16 bytes, then the argument of the filter.
constexpr size_t kAcceptFilterSize = 256;

const KernelOption& ForFamily(const SocketOption& option, int family) {
  return family == AF_INET6 ? option.ipv6 : option.ipv4;
}

bool IsOctet(const KernelOption& kernel, Wire wire) {
  return kernel.level == IPPROTO_IP && (wire == Wire::kOctet || wire == Wire::kOctetFlag);
}

Status Set(const Sys& sys, int fd, const KernelOption& kernel, const void* value, size_t length) {
  if (sys.setsockopt(fd, kernel.level, kernel.name, value, static_cast<socklen_t>(length)) != 0) {
    return Failure{errno, "setsockopt"};
  }
  return Done{};
}

// The number of bytes that the kernel wrote, never more than `room`: the kernel may report a larger length.
Result<size_t> Get(const Sys& sys, int fd, const KernelOption& kernel, void* value, size_t room) {
  socklen_t length = static_cast<socklen_t>(room);
  if (sys.getsockopt(fd, kernel.level, kernel.name, value, &length) != 0) return Failure{errno, "getsockopt"};
  return std::min(static_cast<size_t>(length), room);
}

Result<OptionValue> GetText(const Sys& sys, int fd, const KernelOption& kernel) {
  char text[kAcceptFilterSize] = "";
  Result<size_t> length = Get(sys, fd, kernel, text, sizeof(text));
  if (!length.ok()) return length.failure();
  return OptionValue{0, std::string(text, strnlen(text, length.value()))};
}

Result<OptionValue> GetLinger(const Sys& sys, int fd, const KernelOption& kernel) {
  linger value{};
  Result<size_t> length = Get(sys, fd, kernel, &value, sizeof(value));
  if (!length.ok()) return length.failure();
  if (length.value() != sizeof(value)) return Failure{EINVAL, "getsockopt"};
  return OptionValue{value.l_onoff == 0 ? -1 : value.l_linger, {}};
}

Result<OptionValue> GetNumber(const Sys& sys, int fd, const KernelOption& kernel, const SocketOption& option) {
  unsigned char bytes[sizeof(int)] = {};
  const size_t room = IsOctet(kernel, option.wire) ? 1 : sizeof(bytes);
  Result<size_t> length = Get(sys, fd, kernel, bytes, room);
  if (!length.ok()) return length.failure();
  if (length.value() != room) return Failure{EINVAL, "getsockopt"};
  if (room == 1) return OptionValue{bytes[0], {}};

  int number = 0;
  std::memcpy(&number, bytes, sizeof(number));
  if (option.wire == Wire::kProtocol) return OptionValue{number == IPPROTO_MPTCP ? 1 : 0, {}};
  // Unsigned only for an option whose range is unsigned. For the others -1 means "not set" and must stay -1.
  if (option.maximum > INT32_MAX) return OptionValue{static_cast<uint32_t>(number), {}};
  return OptionValue{number, {}};
}

}  // namespace

const SocketOption* FindSocketOption(const std::string& name) {
  for (const SocketOption& option : SocketOptions()) {
    if (name == option.name) return &option;
  }
  return nullptr;
}

bool IsText(Wire wire) {
  return wire == Wire::kText || wire == Wire::kAcceptFilter;
}

Status SetSocketOption(const Sys& sys, int fd, int family, const SocketOption& option, const OptionValue& value) {
  const KernelOption& kernel = ForFamily(option, family);
  if (kernel.name == kAbsent || option.wire == Wire::kProtocol) return Failure{ENOPROTOOPT, "setsockopt"};

  if (option.wire == Wire::kText) return Set(sys, fd, kernel, value.text.data(), value.text.size());
  if (option.wire == Wire::kAcceptFilter) {
    char filter[kAcceptFilterSize] = {};
    value.text.copy(filter, kAcceptFilterSize - 1);
    return Set(sys, fd, kernel, filter, sizeof(filter));
  }
  if (option.wire == Wire::kLinger) {
    linger pair{};
    pair.l_onoff = value.number < 0 ? 0 : 1;
    pair.l_linger = static_cast<int>(std::max<int64_t>(value.number, 0));
    return Set(sys, fd, kernel, &pair, sizeof(pair));
  }
  if (IsOctet(kernel, option.wire)) {
    const auto octet = static_cast<unsigned char>(value.number);
    return Set(sys, fd, kernel, &octet, sizeof(octet));
  }
  const auto number = static_cast<uint32_t>(value.number);
  return Set(sys, fd, kernel, &number, sizeof(number));
}

Result<OptionValue> GetSocketOption(const Sys& sys, int fd, int family, const SocketOption& option) {
  const KernelOption& kernel = ForFamily(option, family);
  if (kernel.name == kAbsent) return Failure{ENOPROTOOPT, "getsockopt"};
  if (IsText(option.wire)) return GetText(sys, fd, kernel);
  if (option.wire == Wire::kLinger) return GetLinger(sys, fd, kernel);
  return GetNumber(sys, fd, kernel, option);
}

Status SetRawOption(const Sys& sys, int fd, const KernelOption& kernel, const std::string& bytes) {
  return Set(sys, fd, kernel, bytes.data(), bytes.size());
}

}  // namespace reuseport
