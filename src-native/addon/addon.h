#pragma once

#include <napi.h>

#include "core/sys.h"

namespace reuseport {

// Fills `exports` with what src/native/addon-contract.ts declares. `sys` outlives the environment.
Napi::Object InitAddon(Napi::Env env, Napi::Object exports, const Sys& sys);

}  // namespace reuseport
