#pragma once

#include <utility>

#include "core/sys.h"

namespace reuseport {

// Owns a descriptor and closes it exactly once. The destructor may change errno: read errno before it runs.
class UniqueFd {
 public:
  UniqueFd(const Sys& sys, int fd) : sys_(&sys), fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : sys_(other.sys_), fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&&) = delete;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  ~UniqueFd() {
    if (fd_ < 0) return;
    // Never retried after EINTR: Linux has already freed the number, and another thread may have got it since
    // (close(2)).
    sys_->close(fd_);
  }

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  const Sys* sys_;
  int fd_;
};

}  // namespace reuseport
