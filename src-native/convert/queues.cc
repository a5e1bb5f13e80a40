#include "convert/queues.h"

#include "convert/values.h"

namespace reuseport {

std::optional<int> ToPatience(const Napi::Value& value) {
  int patience = 0;
  if (!ToInt(value, "patience", 1, 1000, &patience)) return std::nullopt;
  return patience;
}

std::optional<ArmedRequest> ToArmedRequest(const Napi::CallbackInfo& info) {
  ArmedRequest request{};
  const bool read = ToFd(info, &request.watch) && ToInt(info[1], "fd", 0, INT32_MAX, &request.fd) &&
                    ToBoolean(info[2], "on", &request.on);
  if (!read) return std::nullopt;
  return request;
}

}  // namespace reuseport
