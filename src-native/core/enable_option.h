#pragma once

#include <cerrno>

#include "core/result.h"
#include "core/sys.h"

namespace reuseport {

inline Status EnableOption(const Sys& sys, int fd, int level, int name, int value = 1) {
  if (sys.setsockopt(fd, level, name, &value, sizeof(value)) != 0) return Failure{errno, "setsockopt"};
  return Done{};
}

}  // namespace reuseport
