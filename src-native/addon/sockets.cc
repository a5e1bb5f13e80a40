#include "convert/sockets.h"

#include <optional>
#include <utility>
#include <vector>

#include "addon/addon.h"
#include "addon/state.h"
#include "core/group_lock.h"
#include "core/shared_socket.h"
#include "core/socket_dump.h"
#include "core/socket_option.h"
#include "platform/platform.h"

namespace reuseport {

Napi::Value FromOwned(Napi::Env env, AddonState& state, Result<UniqueFd> opened) {
  if (!opened.ok()) return FromFailure(env, opened.failure());
  Result<int> fd = state.descriptors.Add(std::move(opened.value()));
  if (!fd.ok()) return FromFailure(env, fd.failure());
  return Napi::Number::New(env, fd.value());
}

namespace {

Napi::Value OpenSocketCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<SocketRequest> request = ToSocketRequest(info);
  if (!request) return env.Undefined();

  AddonState& state = StateOf(env);
  return FromOwned(env, state, OpenSharedSocket(state.sys, *request));
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

Napi::Value CloseCall(const Napi::CallbackInfo& info) {
  const std::optional<int> fd = ToDescriptor(info);
  if (!fd) return info.Env().Undefined();
  return FromStatus(info.Env(), StateOf(info.Env()).descriptors.Close(*fd));
}

Napi::Value ReleaseCall(const Napi::CallbackInfo& info) {
  const std::optional<int> fd = ToDescriptor(info);
  if (!fd) return info.Env().Undefined();
  return FromStatus(info.Env(), StateOf(info.Env()).descriptors.Release(*fd));
}

Napi::Value DumpSocketsCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<DumpRequest> request = ToDumpRequest(info);
  if (!request) return env.Undefined();
  Result<std::vector<SocketRow>> rows = DumpSockets(StateOf(env).sys, *request);
  return rows.ok() ? FromSocketRows(env, rows.value()) : FromFailure(env, rows.failure());
}

Napi::Value DumpConnectionsCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<DumpRequest> request = ToDumpRequest(info);
  if (!request) return env.Undefined();
  Result<std::vector<SocketRow>> rows = DumpSockets(StateOf(env).sys, *request);
  return rows.ok() ? FromConnections(env, rows.value()) : FromFailure(env, rows.failure());
}

Napi::Value FindHoldersCall(const Napi::CallbackInfo& info) {
  std::optional<std::set<uint64_t>> inodes = ToInodes(info[0]);
  if (!inodes) return info.Env().Undefined();
  return FromHolders(info.Env(), FindHolders(std::move(*inodes)));
}

Napi::Value HeldByCall(const Napi::CallbackInfo& info) {
  const std::optional<int> pid = ToPid(info[0]);
  if (!pid) return info.Env().Undefined();
  const std::optional<std::set<uint64_t>> inodes = ToInodes(info[1]);
  if (!inodes) return info.Env().Undefined();
  return FromInodes(info.Env(), HeldBy(*pid, *inodes));
}

Napi::Value AcquireLockCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<LockRequest> request = ToLockRequest(info);
  if (!request) return env.Undefined();
  AddonState& state = StateOf(env);
  return FromOwned(env, state, AcquireLock(state.sys, request->name, request->timeout_ms));
}

Napi::Value ConnectToLockCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<std::string> name = ToLockName(info);
  if (!name) return env.Undefined();
  AddonState& state = StateOf(env);
  return FromOwned(env, state, ConnectToLock(state.sys, *name));
}

Napi::Value ProbeCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Result<bool> shared = ProbePortSharing(StateOf(env).sys);
  return shared.ok() ? Napi::Value(Napi::Boolean::New(env, shared.value())) : FromFailure(env, shared.failure());
}

Napi::Value OptionName(Napi::Env env) {
  const char* label = kReusePortOption.label;
  return label == nullptr ? env.Null() : Napi::Value(Napi::String::New(env, label));
}

constexpr Export kExports[] = {
    {"openSocket", Entry<OpenSocketCall>},
    {"setReuseAddress", Entry<SetReuseAddressCall>},
    {"bind", Entry<BindCall>},
    {"listen", Entry<ListenCall>},
    {"setOption", Entry<SetOptionCall>},
    {"getOption", Entry<GetOptionCall>},
    {"setRawOption", Entry<SetRawOptionCall>},
    {"dumpSockets", Entry<DumpSocketsCall>},
    {"dumpConnections", Entry<DumpConnectionsCall>},
    {"heldBy", Entry<HeldByCall>},
    {"findHolders", Entry<FindHoldersCall>},
    {"acquireLock", Entry<AcquireLockCall>},
    {"connectToLock", Entry<ConnectToLockCall>},
    {"localAddress", Entry<LocalAddressCall>},
    {"close", Entry<CloseCall>},
    {"release", Entry<ReleaseCall>},
    {"probe", Entry<ProbeCall>},
};

}  // namespace

void Add(Napi::Env env, Napi::Object exports, const Export* first, size_t count) {
  for (const Export* entry = first; entry != first + count; entry++) {
    napi_value function = nullptr;
    if (napi_create_function(env, entry->name, NAPI_AUTO_LENGTH, entry->call, nullptr, &function) != napi_ok) return;
    exports.Set(entry->name, function);
  }
}

Napi::Object InitAddon(Napi::Env env, Napi::Object exports, const Sys& sys) {
  // node-addon-api deletes it, and so closes what is still owned, when the environment ends.
  env.SetInstanceData(new AddonState(sys));

  exports.Set("option", OptionName(env));
  exports.Set("socketOptions", FromSocketOptions(env));
  Add(env, exports, kExports);
  InitSteering(env, exports);
  InitSupervision(env, exports);
  return exports;
}

}  // namespace reuseport
