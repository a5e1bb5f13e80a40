#include "convert/sockets.h"

#include <cstdint>
#include <string>

#include "convert/values.h"

namespace reuseport {

std::optional<int> ToDescriptor(const Napi::CallbackInfo& info) {
  int fd = 0;
  if (!ToFd(info, &fd)) return std::nullopt;
  return fd;
}

std::optional<SocketRequest> ToSocketRequest(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) {
    Refuse(info.Env(), "request", "an object");
    return std::nullopt;
  }
  const Napi::Object from = info[0].As<Napi::Object>();
  SocketRequest request{};
  Napi::Value value;
  const bool read = Read(from, "transport", &value) && ToTransport(value, &request.transport) &&
                    Read(from, "family", &value) && ToFamily(value, &request.family) &&
                    Read(from, "ipv6Only", &value) && ToBoolean(value, "ipv6Only", &request.ipv6_only) &&
                    Read(from, "multipath", &value) && ToBoolean(value, "multipath", &request.multipath);
  if (!read) return std::nullopt;
  return request;
}

std::optional<ReuseAddressRequest> ToReuseAddressRequest(const Napi::CallbackInfo& info) {
  ReuseAddressRequest request{};
  if (!ToFd(info, &request.fd) || !ToBoolean(info[1], "on", &request.on)) return std::nullopt;
  return request;
}

std::optional<BindRequest> ToBindRequest(const Napi::CallbackInfo& info) {
  int fd = 0;
  int family = 0;
  int port = 0;
  std::string text;
  const bool read = ToFd(info, &fd) && ToFamily(info[1], &family) && ToText(info[2], "address", &text) &&
                    ToInt(info[3], "port", 0, UINT16_MAX, &port);
  if (!read) return std::nullopt;
  return BindRequest{fd, SocketAddress::Parse(family, text, static_cast<uint16_t>(port))};
}

std::optional<ListenRequest> ToListenRequest(const Napi::CallbackInfo& info) {
  ListenRequest request{};
  if (!ToFd(info, &request.fd) || !ToInt(info[1], "backlog", 0, INT32_MAX, &request.backlog)) return std::nullopt;
  return request;
}

std::optional<OptionRequest> ToOptionRequest(const Napi::CallbackInfo& info) {
  int fd = 0;
  int family = 0;
  std::string name;
  if (!ToFd(info, &fd) || !ToFamily(info[1], &family) || !ToText(info[2], "name", &name)) return std::nullopt;
  const SocketOption* option = FindSocketOption(name);
  if (option == nullptr) {
    Refuse(info.Env(), "name", "in the table of options");
    return std::nullopt;
  }
  return OptionRequest{fd, family, *option};
}

std::optional<OptionValue> ToOptionValue(const Napi::CallbackInfo& info, const SocketOption& option) {
  OptionValue value;
  if (!IsText(option.wire)) {
    // -1 turns an option of struct linger off.
    const int64_t minimum = option.wire == Wire::kLinger ? -1 : option.minimum;
    if (!ToInteger(info[3], option.name, minimum, option.maximum, &value.number)) return std::nullopt;
    return value;
  }
  if (!ToText(info[3], option.name, &value.text)) return std::nullopt;
  const int64_t length = static_cast<int64_t>(value.text.size());
  if (length < option.minimum || length > option.maximum || value.text.find('\0') != std::string::npos) {
    Refuse(info.Env(), option.name, "a text of the length allowed, without a NUL");
    return std::nullopt;
  }
  return value;
}

std::optional<RawOptionRequest> ToRawOptionRequest(const Napi::CallbackInfo& info) {
  RawOptionRequest request{};
  const bool read = ToFd(info, &request.fd) && ToInt(info[1], "level", 0, INT32_MAX, &request.level) &&
                    ToInt(info[2], "name", 0, INT32_MAX, &request.name);
  if (!read) return std::nullopt;

  const Napi::Value value = info[3];
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
    const Napi::Uint8Array bytes = value.As<Napi::Uint8Array>();
    request.bytes.assign(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength());
    return request;
  }
  int64_t number = 0;
  if (!ToInteger(value, "value", INT32_MIN, UINT32_MAX, &number)) return std::nullopt;
  const auto word = static_cast<uint32_t>(number);
  request.bytes.assign(reinterpret_cast<const char*>(&word), sizeof(word));
  return request;
}

std::optional<DumpRequest> ToDumpRequest(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) {
    Refuse(info.Env(), "request", "an object");
    return std::nullopt;
  }
  const Napi::Object from = info[0].As<Napi::Object>();
  DumpRequest request{};
  Napi::Value value;
  int64_t states = 0;
  int port = 0;
  const bool read = Read(from, "transport", &value) && ToTransport(value, &request.transport) &&
                    Read(from, "family", &value) && ToFamily(value, &request.family) && Read(from, "states", &value) &&
                    ToInteger(value, "states", 0, UINT32_MAX, &states) && Read(from, "port", &value) &&
                    ToInt(value, "port", 0, UINT16_MAX, &port);
  if (!read) return std::nullopt;
  request.states = static_cast<uint32_t>(states);
  request.port = static_cast<uint16_t>(port);
  return request;
}

std::optional<LockRequest> ToLockRequest(const Napi::CallbackInfo& info) {
  LockRequest request{};
  if (!ToText(info[0], "name", &request.name)) return std::nullopt;
  if (!ToInt(info[1], "timeout", 0, INT32_MAX, &request.timeout_ms)) return std::nullopt;
  return request;
}

std::optional<std::string> ToLockName(const Napi::CallbackInfo& info) {
  std::string name;
  if (!ToText(info[0], "name", &name)) return std::nullopt;
  return name;
}

std::optional<int> ToPid(const Napi::Value& value) {
  int pid = 0;
  if (!ToInt(value, "pid", 1, INT32_MAX, &pid)) return std::nullopt;
  return pid;
}

std::optional<std::set<uint64_t>> ToInodes(const Napi::Value& value) {
  std::vector<double> numbers;
  if (!ToNumbers(value, "inodes", &numbers)) return std::nullopt;
  std::set<uint64_t> inodes;
  for (const double number : numbers) {
    // Exact as a double, and above what any file system of sockets has counted.
    if (number >= 0 && number <= 9007199254740991.0) inodes.insert(static_cast<uint64_t>(number));
  }
  return inodes;
}

}  // namespace reuseport
