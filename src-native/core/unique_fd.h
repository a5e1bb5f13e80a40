#pragma once

#include <utility>

#include "core/sys.h"

namespace reuseport {

// Owns a descriptor and closes it exactly once. Changes errno: take what is to be reported before.
class UniqueFd {
 public:
  UniqueFd(const Sys& sys, int fd) : sys_(&sys), fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : sys_(other.sys_), fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&&) = delete;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  ~UniqueFd() {
    if (fd_ < 0) return;
    // Never again after EINTR: Linux has freed the number by then, and another thread may have it (close(2)).
    sys_->close(fd_);
  }

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  const Sys* sys_;
  int fd_;
};

}  // namespace reuseport
