#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "core/enable_option.h"
#include "core/result.h"
#include "core/sys.h"

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

namespace reuseport {

// ms. Packets of the loopback device arrive within the call that sends them, unless the system is busy.
inline constexpr int kWait = 1;
inline constexpr int kWaits = 5;

// How many packets a socket has dropped.
inline Result<uint32_t> Drops(const Sys& sys, int fd) {
  constexpr size_t kDrops = 8;  // SK_MEMINFO_DROPS
  uint32_t memory[kDrops + 1] = {};
  socklen_t length = sizeof(memory);
  if (sys.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length) != 0) return Failure{errno, "getsockopt"};
  if (length < sizeof(memory)) return Failure{EOPNOTSUPP, "getsockopt"};
  return memory[kDrops];
}

// Listeners at an interface receive what comes by it. Packets from this machine to an address of the interface count as
// such only where their sender is bound to it as well (Linux 5.1; without privileges since 5.7).
inline Status BindToInterface(const Sys& sys, int fd, int index) {
  return index == 0 ? Status(Done{}) : EnableOption(sys, fd, SOL_SOCKET, SO_BINDTOIFINDEX, index);
}

}  // namespace reuseport
