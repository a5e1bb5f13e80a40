#pragma once

#include <napi.h>

#include <optional>

// As convert/values.h, for the calls that watch accept queues.
namespace reuseport {

// Milliseconds.
std::optional<int> ToPatience(const Napi::Value& value);

struct ArmedRequest {
  int watch;
  int fd;
  bool on;
};

// (watch, fd, on)
std::optional<ArmedRequest> ToArmedRequest(const Napi::CallbackInfo& info);

}  // namespace reuseport
