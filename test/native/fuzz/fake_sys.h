#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "core/sys.h"

namespace fuzz {

// The bytes that the fake kernel writes when it is asked for a value, and the length that it claims to have written. A
// kernel may claim more than the buffer holds (getsockname(2)), but it never writes more.
struct Answer {
  const uint8_t* data = nullptr;
  size_t size = 0;
  socklen_t claimed = 0;
};

inline thread_local Answer answer;

inline int Fill(void* value, socklen_t* length) {
  const size_t size = std::min<size_t>(*length, answer.size);
  if (size > 0) std::memcpy(value, answer.data, size);
  *length = answer.claimed;
  return 0;
}

inline int GetSockOpt(int /*fd*/, int /*level*/, int /*name*/, void* value, socklen_t* length) {
  return Fill(value, length);
}

inline int GetSockName(int /*fd*/, sockaddr* address, socklen_t* length) {
  return Fill(address, length);
}

// Reads every byte of the value, so that a sanitizer detects a length beyond the end of the value.
inline int SetSockOpt(int /*fd*/, int /*level*/, int /*name*/, const void* value, socklen_t length) {
  static volatile uint8_t sink = 0;
  for (socklen_t i = 0; i < length; i++) sink = static_cast<const uint8_t*>(value)[i];
  static_cast<void>(sink);
  return 0;
}

inline reuseport::Sys FakeSys() {
  reuseport::Sys sys = reuseport::kSystem;
  sys.getsockopt = GetSockOpt;
  sys.getsockname = GetSockName;
  sys.setsockopt = SetSockOpt;
  return sys;
}

}  // namespace fuzz
