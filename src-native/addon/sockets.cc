#include "convert/sockets.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "addon/state.h"
#include "convert/options.h"
#include "convert/values.h"
#include "core/shared_socket.h"
#include "core/socket_option.h"
#include "core/steering.h"

namespace reuseport {
namespace {

Napi::Value OpenSocketCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<SocketRequest> request = ToSocketRequest(info);
  if (!request) return env.Undefined();

  AddonState& state = StateOf(env);
  return FromOwned(env, state, OpenSharedSocket(state.sys, *request));
}

Napi::Value ReservePortCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::optional<ReserveRequest> request = ToReserveRequest(info);
  if (!request) return env.Undefined();
  if (!request->address.ok()) return FromFailure(env, request->address.failure());
  AddonState& state = StateOf(env);
  return FromOwned(env, state, ReservePort(state.sys, request->socket, request->address.value()));
}

Napi::Value SetReuseAddressCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<ReuseAddressRequest> request = ToReuseAddressRequest(info);
  if (!request) return env.Undefined();
  return FromStatus(env, SetReuseAddress(StateOf(env).sys, request->fd, request->on));
}

Napi::Value BindCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::optional<BindRequest> request = ToBindRequest(info);
  if (!request) return env.Undefined();
  if (!request->address.ok()) return FromFailure(env, request->address.failure());
  return FromStatus(env, Bind(StateOf(env).sys, request->fd, request->address.value()));
}

Napi::Value ListenCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<ListenRequest> request = ToListenRequest(info);
  if (!request) return env.Undefined();
  return FromStatus(env, Listen(StateOf(env).sys, request->fd, request->backlog));
}

Napi::Value SetOptionCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<OptionRequest> request = ToOptionRequest(info);
  if (!request) return env.Undefined();
  const std::optional<OptionValue> value = ToOptionValue(info, request->option);
  if (!value) return env.Undefined();
  return FromStatus(env, SetSocketOption(StateOf(env).sys, request->fd, request->family, request->option, *value));
}

Napi::Value GetOptionCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<OptionRequest> request = ToOptionRequest(info);
  if (!request) return env.Undefined();
  Result<OptionValue> value = GetSocketOption(StateOf(env).sys, request->fd, request->family, request->option);
  if (!value.ok()) return FromFailure(env, value.failure());
  return FromOptionValue(env, request->option, value.value());
}

Napi::Value SetRawOptionCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<RawOptionRequest> request = ToRawOptionRequest(info);
  if (!request) return env.Undefined();
  const auto& [fd, level, name, bytes] = *request;
  return FromStatus(env, SetRawOption(StateOf(env).sys, fd, {level, name}, bytes));
}

Napi::Value LocalAddressCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> fd = ToDescriptor(info);
  if (!fd) return env.Undefined();
  Result<SocketAddress> address = SocketAddress::OfSocket(StateOf(env).sys, *fd);
  return address.ok() ? FromAddress(env, address.value()) : FromFailure(env, address.failure());
}

Napi::Value ClaimOfCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> fd = ToDescriptor(info);
  if (!fd) return env.Undefined();
  return Napi::Number::New(env, static_cast<double>(StateOf(env).descriptors.ClaimOf(*fd)));
}

Napi::Value IsOwnedCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<ClaimedDescriptor> owned = ToClaimedDescriptor(info);
  if (!owned) return env.Undefined();
  return Napi::Boolean::New(env, StateOf(env).descriptors.IsOwned(owned->fd, owned->claim));
}

Napi::Value CloseCall(const Napi::CallbackInfo& info) {
  const std::optional<ClaimedDescriptor> owned = ToClaimedDescriptor(info);
  if (!owned) return info.Env().Undefined();
  return FromStatus(info.Env(), StateOf(info.Env()).descriptors.Close(owned->fd, owned->claim));
}

Napi::Value ReleaseCall(const Napi::CallbackInfo& info) {
  const std::optional<ClaimedDescriptor> owned = ToClaimedDescriptor(info);
  if (!owned) return info.Env().Undefined();
  return FromStatus(info.Env(), StateOf(info.Env()).descriptors.Release(owned->fd, owned->claim));
}

Napi::Value ProbeCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Result<bool> shared = ProbePortSharing(StateOf(env).sys);
  return shared.ok() ? Napi::Value(Napi::Boolean::New(env, shared.value())) : FromFailure(env, shared.failure());
}

Napi::Value TakeSocketCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<SocketOfProcess> request = ToSocketOfProcess(info);
  if (!request) return env.Undefined();
  AddonState& state = StateOf(env);
  return FromOwned(env, state, TakeSocket(state.sys, request->pid, request->inode));
}

Napi::Value DuplicateCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> fd = ToDescriptor(info);
  int lowest = 0;
  if (!fd || !(info[1].IsUndefined() || ToInt(info[1], "lowest", 0, INT32_MAX, &lowest))) return env.Undefined();
  AddonState& state = StateOf(env);
  const int duplicate = state.sys.duplicate(*fd, lowest);
  if (duplicate < 0) return FromFailure(env, {errno, "fcntl"});
  return FromOwned(env, state, UniqueFd(state.sys, duplicate));
}

constexpr Export kExports[] = {
    {"openSocket", OpenSocketCall},
    {"reservePort", ReservePortCall},
    {"setReuseAddress", SetReuseAddressCall},
    {"bind", BindCall},
    {"listen", ListenCall},
    {"setOption", SetOptionCall},
    {"getOption", GetOptionCall},
    {"setRawOption", SetRawOptionCall},
    {"takeSocket", TakeSocketCall},
    {"duplicate", DuplicateCall},
    {"localAddress", LocalAddressCall},
    {"claimOf", ClaimOfCall},
    {"isOwned", IsOwnedCall},
    {"close", CloseCall},
    {"release", ReleaseCall},
    {"probe", ProbeCall},
};

}  // namespace

void InitSockets(Napi::Env env, Napi::Object exports) {
  Add(env, exports, kExports);
}

}  // namespace reuseport
