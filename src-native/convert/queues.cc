#include "convert/queues.h"

#include "convert/values.h"

namespace reuseport {

std::optional<int> ToPatience(const Napi::Value& value) {
  int patience = 0;
  if (!ToInt(value, "patience", 1, 1000, &patience)) return std::nullopt;
  return patience;
}

std::optional<WatchedQueue> ToWatchedQueue(const Napi::CallbackInfo& info) {
  WatchedQueue queue{};
  if (!ToInt(info[0], "watch", 0, INT32_MAX, &queue.watch) || !ToInt(info[1], "fd", 0, INT32_MAX, &queue.fd)) {
    return std::nullopt;
  }
  return queue;
}

}  // namespace reuseport
