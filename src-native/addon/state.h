#pragma once

#include <napi.h>

#include <cstddef>

#include "core/owned_descriptors.h"
#include "core/queue_watch.h"
#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

namespace reuseport {

// Each environment (the main thread, each worker thread) has its own state and shares nothing with the others.
struct AddonState {
  explicit AddonState(const Sys& table) : sys(table), descriptors(table), watches(table) {}

  const Sys& sys;
  OwnedDescriptors descriptors;
  QueueWatches watches;
};

inline AddonState& StateOf(Napi::Env env) {
  return *env.GetInstanceData<AddonState>();
}

// Makes the environment the owner of a descriptor, and gives its number to JavaScript.
Napi::Value FromOwned(Napi::Env env, AddonState& state, Result<UniqueFd> opened);

// A function and the name under which JavaScript finds it.
struct Export {
  const char* name;
  Napi::Value (*call)(const Napi::CallbackInfo& info);
};

// Every call of JavaScript. One function for all: the code around a call would be longer than most calls.
inline napi_value Dispatch(napi_env env, napi_callback_info arguments) {
  const Napi::CallbackInfo info(env, arguments);
  return static_cast<const Export*>(info.Data())->call(info);
}

// The table must outlive the environment.
void Add(Napi::Env env, Napi::Object exports, const Export* first, size_t count);

template <size_t kCount>
void Add(Napi::Env env, Napi::Object exports, const Export (&table)[kCount]) {
  Add(env, exports, table, kCount);
}

// Each adds the calls of its topic to the exports of the addon.
void InitSockets(Napi::Env env, Napi::Object exports);
void InitInspection(Napi::Env env, Napi::Object exports);
void InitLocks(Napi::Env env, Napi::Object exports);
void InitPeers(Napi::Env env, Napi::Object exports);
void InitSteering(Napi::Env env, Napi::Object exports);
void InitProcesses(Napi::Env env, Napi::Object exports);
void InitQueues(Napi::Env env, Napi::Object exports);

}  // namespace reuseport
