#pragma once

#include <napi.h>

#include <optional>

// As convert/values.h, for the calls that watch accept queues.
namespace reuseport {

// Milliseconds.
std::optional<int> ToPatience(const Napi::Value& value);

struct WatchedQueue {
  int watch;
  int fd;
};

// (watch, fd)
std::optional<WatchedQueue> ToWatchedQueue(const Napi::CallbackInfo& info);

}  // namespace reuseport
