#include "convert/queues.h"

#include "convert/values.h"

namespace reuseport {

std::optional<ArmedRequest> ToArmedRequest(const Napi::CallbackInfo& info) {
  ArmedRequest request{};
  const bool read = ToFd(info, &request.watch) && ToInt(info[1], "fd", 0, INT32_MAX, &request.fd) &&
                    ToInt(info[2], "patience", 0, 1000, &request.patience);
  if (!read) return std::nullopt;
  return request;
}

}  // namespace reuseport
