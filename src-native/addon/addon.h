#pragma once

#include <napi.h>

#include "core/sys.h"

namespace reuseport {

// Fills `exports` as src/native/addon-contract.ts declares. `sys` must outlive the environment.
Napi::Object InitAddon(Napi::Env env, Napi::Object exports, const Sys& sys);

}  // namespace reuseport
