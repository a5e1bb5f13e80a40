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
  uint32_t states;  // a bit for each TCP state (tcp_states.h); UDP sockets have state 7, connected ones state 1
  uint16_t port;    // local; 0 for every port
};

// A socket of this network namespace, as the kernel reports it to every user.
struct SocketRow {
  int state = 0;
  uint16_t port = 0;
  std::string address;
  std::string peer;     // address and port of the client, only for an unfinished handshake
  uint32_t device = 0;  // index of the interface that the socket is bound to, 0 for none
  uint64_t inode = 0;
  uint64_t cookie = 0;
  uint32_t uid = 0;
  // A listener: connections in its accept queue, and its backlog. Another socket: `queued` is the number of bytes
  // received and not yet read.
  uint32_t queued = 0;
  uint32_t limit = 0;
  std::optional<uint32_t> receive_buffer;
  std::optional<uint32_t> drops;
  std::optional<bool> ipv6_only;
};

// ENOSYS if the system has no such interface.
Result<std::vector<SocketRow>> DumpSockets(const Sys& sys, const DumpRequest& request);

}  // namespace reuseport
