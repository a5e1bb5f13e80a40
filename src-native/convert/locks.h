#pragma once

#include <napi.h>

#include <optional>
#include <string>

// Requests of the calls for group locks (see convert/values.h).
namespace reuseport {

struct LockRequest {
  std::string name;
  int timeout_ms;
};

// (name, timeout)
std::optional<LockRequest> ToLockRequest(const Napi::CallbackInfo& info);

// (name)
std::optional<std::string> ToLockName(const Napi::CallbackInfo& info);

}  // namespace reuseport
