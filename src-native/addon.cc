#include "addon.h"

#include <optional>
#include <utility>

#include "convert.h"
#include "core/listener.h"
#include "core/owned_descriptors.h"
#include "platform/platform.h"

namespace reuseport {
namespace {

// One for each environment (the main thread, each worker thread): nothing is shared between them.
struct AddonState {
  explicit AddonState(const Sys& table) : sys(table), descriptors(table) {}

  const Sys& sys;
  OwnedDescriptors descriptors;
};

AddonState& StateOf(Napi::Env env) {
  return *env.GetInstanceData<AddonState>();
}

Napi::Value OpenListenerCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::optional<Result<ListenerRequest>> request = ToListenerRequest(info);
  if (!request) return env.Undefined();
  if (!request->ok()) return FromFailure(env, request->failure());

  AddonState& state = StateOf(env);
  Result<UniqueFd> listener = OpenListener(state.sys, request->value());
  if (!listener.ok()) return FromFailure(env, listener.failure());
  Result<int> fd = state.descriptors.Add(std::move(listener.value()));
  if (!fd.ok()) return FromFailure(env, fd.failure());
  return Napi::Number::New(env, fd.value());
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

Napi::Value ProbeCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Result<bool> shared = ProbePortSharing(StateOf(env).sys);
  return shared.ok() ? Napi::Value(Napi::Boolean::New(env, shared.value())) : FromFailure(env, shared.failure());
}

Napi::Value OptionName(Napi::Env env) {
  const char* label = kReusePortOption.label;
  return label == nullptr ? env.Null() : Napi::Value(Napi::String::New(env, label));
}

}  // namespace

Napi::Object InitAddon(Napi::Env env, Napi::Object exports, const Sys& sys) {
  // node-addon-api deletes it, and so closes what is still owned, when the environment ends.
  env.SetInstanceData(new AddonState(sys));

  exports.Set("option", OptionName(env));
  exports.Set("openListener", Napi::Function::New<OpenListenerCall>(env, "openListener"));
  exports.Set("localAddress", Napi::Function::New<LocalAddressCall>(env, "localAddress"));
  exports.Set("close", Napi::Function::New<CloseCall>(env, "close"));
  exports.Set("release", Napi::Function::New<ReleaseCall>(env, "release"));
  exports.Set("probe", Napi::Function::New<ProbeCall>(env, "probe"));
  return exports;
}

}  // namespace reuseport
