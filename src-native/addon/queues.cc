#include "convert/queues.h"

#include <optional>
#include <utility>

#include "addon/state.h"
#include "convert/values.h"

namespace reuseport {
namespace {

Napi::Value OpenQueueWatchCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> patience = ToPatience(info[0]);
  if (!patience) return env.Undefined();
  AddonState& state = StateOf(env);
  Result<UniqueFd> numbers = state.watches.Open(*patience);
  const int watch = numbers.ok() ? numbers.value().get() : -1;
  const Napi::Value owned = FromOwned(env, state, std::move(numbers));
  if (!owned.IsNumber()) state.watches.End(watch);
  return owned;
}

Napi::Value ArmQueueCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<WatchedQueue> queue = ToWatchedQueue(info);
  if (!queue) return env.Undefined();
  return FromStatus(env, StateOf(env).watches.Arm(queue->watch, queue->fd));
}

Napi::Value DisarmQueueCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<WatchedQueue> queue = ToWatchedQueue(info);
  if (!queue) return env.Undefined();
  return FromStatus(env, StateOf(env).watches.Disarm(queue->watch, queue->fd));
}

Napi::Value EndQueueWatchCall(const Napi::CallbackInfo& info) {
  const std::optional<int> watch = ToDescriptor(info);
  if (watch) StateOf(info.Env()).watches.End(*watch);
  return info.Env().Undefined();
}

constexpr Export kExports[] = {
    {"openQueueWatch", Entry<OpenQueueWatchCall>},
    {"armQueue", Entry<ArmQueueCall>},
    {"disarmQueue", Entry<DisarmQueueCall>},
    {"endQueueWatch", Entry<EndQueueWatchCall>},
};

}  // namespace

void InitQueues(Napi::Env env, Napi::Object exports) {
  Add(env, exports, kExports);
}

}  // namespace reuseport
