#include "convert/queues.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "addon/state.h"
#include "convert/values.h"

namespace reuseport {
namespace {

Napi::Value OpenQueueWatchCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  AddonState& state = StateOf(env);
  Result<UniqueFd> numbers = state.watches.Open();
  const int watch = numbers.ok() ? numbers.value().get() : -1;
  const Napi::Value owned = FromOwned(env, state, std::move(numbers));
  if (!owned.IsNumber()) state.watches.End(watch);
  return owned;
}

Napi::Value SetArmedCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<ArmedRequest> request = ToArmedRequest(info);
  if (!request) return env.Undefined();
  return FromStatus(env, StateOf(env).watches.SetArmed(request->watch, request->fd, request->patience));
}

Napi::Value EndQueueWatchCall(const Napi::CallbackInfo& info) {
  const std::optional<int> watch = ToDescriptor(info);
  if (watch) StateOf(info.Env()).watches.End(*watch);
  return info.Env().Undefined();
}

Napi::Value AcceptCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> fd = ToDescriptor(info);
  if (!fd) return env.Undefined();
  AddonState& state = StateOf(env);
  const int accepted = state.sys.accept(*fd, nullptr, nullptr);
  if (accepted < 0) return FromFailure(env, {errno, "accept"});
  return FromOwned(env, state, UniqueFd(state.sys, accepted));
}

constexpr Export kExports[] = {
    {"accept", AcceptCall},
    {"openQueueWatch", OpenQueueWatchCall},
    {"setArmed", SetArmedCall},
    {"endQueueWatch", EndQueueWatchCall},
};

}  // namespace

void InitQueues(Napi::Env env, Napi::Object exports) {
  Add(env, exports, kExports);
}

}  // namespace reuseport
