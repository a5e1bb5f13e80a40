#include "convert/locks.h"

#include "convert/values.h"

namespace reuseport {

std::optional<LockRequest> ToLockRequest(const Napi::CallbackInfo& info) {
  LockRequest request{};
  if (!ToText(info[0], "name", &request.name)) return std::nullopt;
  if (!ToInt(info[1], "timeout", 0, INT32_MAX, &request.timeout_ms)) return std::nullopt;
  return request;
}

std::optional<std::string> ToLockName(const Napi::CallbackInfo& info) {
  std::string name;
  if (!ToText(info[0], "name", &name)) return std::nullopt;
  return name;
}

}  // namespace reuseport
