#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/shared_socket.h"
#include "core/sys.h"

namespace reuseport {

struct DumpRequest {
  Transport transport;
  int family;
  uint32_t states;  // a bit for each TCP state (tcp_states.h); UDP sockets are in state 7, connected ones in 1
  uint16_t port;    // local; 0 for all
};

// A socket of this network namespace, as the kernel reports it to anybody.
struct SocketRow {
  int state = 0;
  uint16_t port = 0;
  std::string address;
  std::string peer;     // address and port of the other end, where a handshake is under way
  uint32_t device = 0;  // index of the interface it is bound to, 0 where it is not
  uint64_t inode = 0;
  uint64_t cookie = 0;
  uint32_t uid = 0;
  // A listener: connections waiting to be accepted, and how many may. Another: bytes received and not read.
  uint32_t queued = 0;
  uint32_t limit = 0;
  std::optional<uint32_t> receive_buffer;
  std::optional<uint32_t> drops;
  std::optional<bool> ipv6_only;
};

// ENOSYS where the system has no such interface.
Result<std::vector<SocketRow>> DumpSockets(const Sys& sys, const DumpRequest& request);

}  // namespace reuseport
