#include "convert/sockets.h"

#include <cstdint>
#include <string>

#include "convert/values.h"

namespace reuseport {

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

std::optional<ReserveRequest> ToReserveRequest(const Napi::CallbackInfo& info) {
  const std::optional<SocketRequest> socket = ToSocketRequest(info);
  std::string text;
  if (!socket || !ToText(info[1], "address", &text)) return std::nullopt;
  return ReserveRequest{*socket, SocketAddress::Parse(socket->family, text, 0)};
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

std::optional<SocketOfProcess> ToSocketOfProcess(const Napi::CallbackInfo& info) {
  int pid = 0;
  int64_t inode = 0;
  if (!ToInt(info[0], "pid", 1, INT32_MAX, &pid)) return std::nullopt;
  if (!ToInteger(info[1], "inode", 0, INT64_C(9007199254740991), &inode)) return std::nullopt;
  return SocketOfProcess{pid, static_cast<uint64_t>(inode)};
}

std::optional<ClaimedDescriptor> ToClaimedDescriptor(const Napi::CallbackInfo& info) {
  ClaimedDescriptor owned{0, kCurrent};
  if (!ToFd(info, &owned.fd)) return std::nullopt;
  if (info[1].IsUndefined()) return owned;
  if (!ToInteger(info[1], "claim", 0, INT64_C(9007199254740991), &owned.claim)) return std::nullopt;
  return owned;
}

Napi::Value FromAddress(Napi::Env env, const SocketAddress& address) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("address", address.Text());
  object.Set("family", address.family() == AF_INET ? "IPv4" : "IPv6");
  object.Set("port", address.port());
  return object;
}

}  // namespace reuseport
