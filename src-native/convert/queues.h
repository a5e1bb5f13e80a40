#pragma once

#include <napi.h>

#include <optional>

// As convert/values.h, for the calls that watch accept queues.
namespace reuseport {

struct ArmedRequest {
  int watch;
  int fd;
  int patience;  // ms; 0: it is disarmed
};

// (watch, fd, patience)
std::optional<ArmedRequest> ToArmedRequest(const Napi::CallbackInfo& info);

}  // namespace reuseport
