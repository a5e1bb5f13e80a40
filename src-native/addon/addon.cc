#include "addon/addon.h"

#include <utility>

#include "addon/state.h"
#include "convert/options.h"
#include "convert/values.h"
#include "platform/platform.h"

namespace reuseport {
namespace {

Napi::Value OptionName(Napi::Env env) {
  const char* label = kReusePortOption.label;
  return label == nullptr ? env.Null() : Napi::Value(Napi::String::New(env, label));
}

}  // namespace

Napi::Value FromOwned(Napi::Env env, AddonState& state, Result<UniqueFd> opened) {
  if (!opened.ok()) return FromFailure(env, opened.failure());
  Result<int> fd = state.descriptors.Add(std::move(opened.value()));
  if (!fd.ok()) return FromFailure(env, fd.failure());
  return Napi::Number::New(env, fd.value());
}

void Add(Napi::Env env, Napi::Object exports, const Export* first, size_t count) {
  for (const Export* entry = first; entry != first + count; entry++) {
    napi_value function = nullptr;
    void* data = const_cast<Export*>(entry);
    if (napi_create_function(env, entry->name, NAPI_AUTO_LENGTH, Dispatch, data, &function) != napi_ok) return;
    exports.Set(entry->name, function);
  }
}

Napi::Object InitAddon(Napi::Env env, Napi::Object exports, const Sys& sys) {
  // When the environment ends, node-addon-api deletes the state, whose destructor closes the descriptors still owned.
  env.SetInstanceData(new AddonState(sys));

  exports.Set("option", OptionName(env));
  exports.Set("socketOptions", FromSocketOptions(env));
  InitSockets(env, exports);
  InitInspection(env, exports);
  InitLocks(env, exports);
  InitPeers(env, exports);
  InitSteering(env, exports);
  InitProcesses(env, exports);
  InitQueues(env, exports);
  return exports;
}

}  // namespace reuseport
