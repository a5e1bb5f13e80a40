#pragma once

#include <napi.h>

// What tests do with unix sockets that the addon does not. Linux.
void AddUnixCalls(Napi::Env env, Napi::Object exports);
