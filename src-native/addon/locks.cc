#include "convert/locks.h"

#include <optional>
#include <string>

#include "addon/state.h"
#include "core/group_lock.h"

namespace reuseport {
namespace {

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

constexpr Export kExports[] = {
    {"acquireLock", AcquireLockCall},
    {"connectToLock", ConnectToLockCall},
};

}  // namespace

void InitLocks(Napi::Env env, Napi::Object exports) {
  Add(env, exports, kExports);
}

}  // namespace reuseport
