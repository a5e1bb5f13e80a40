#pragma once

#include <napi.h>

#include <cstddef>

#include "core/owned_descriptors.h"
#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

namespace reuseport {

// One for each environment (the main thread, each worker thread): nothing is shared between them.
struct AddonState {
  explicit AddonState(const Sys& table) : sys(table), descriptors(table) {}

  const Sys& sys;
  OwnedDescriptors descriptors;
};

inline AddonState& StateOf(Napi::Env env) {
  return *env.GetInstanceData<AddonState>();
}

// The number of a descriptor that the environment owns from now on.
Napi::Value FromOwned(Napi::Env env, AddonState& state, Result<UniqueFd> opened);

// A function that JavaScript finds under this name.
struct Export {
  const char* name;
  napi_callback call;
};

template <Napi::Value (*Call)(const Napi::CallbackInfo& info)>
napi_value Entry(napi_env env, napi_callback_info info) {
  return Call(Napi::CallbackInfo(env, info));
}

void Add(Napi::Env env, Napi::Object exports, const Export* first, size_t count);

template <size_t kCount>
void Add(Napi::Env env, Napi::Object exports, const Export (&table)[kCount]) {
  Add(env, exports, table, kCount);
}

// The calls of each topic, into the same exports.
void InitSockets(Napi::Env env, Napi::Object exports);
void InitInspection(Napi::Env env, Napi::Object exports);
void InitLocks(Napi::Env env, Napi::Object exports);
void InitSteering(Napi::Env env, Napi::Object exports);
void InitProcesses(Napi::Env env, Napi::Object exports);

}  // namespace reuseport
