#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/linux/netlink_reply.h"

namespace reuseport {

// A unix socket of this network namespace that has a name, as the kernel reports it to anybody.
struct UnixName {
  int type = 0;   // SOCK_STREAM, …
  int state = 0;  // as of TCP (tcp_states.h): 7 where it was only bound, 10 where it listens, 1 where it is connected
  std::string name;             // as in sun_path: an abstract one begins with a NUL
  std::optional<uint32_t> uid;  // since Linux 5.3
};

// Reads one datagram of a dump of unix sockets and adds those that have names, as ParseDump() of dump_parser.h does.
Result<DumpProgress> ParseUnixNames(const uint8_t* data, size_t length, uint32_t sequence, std::vector<UnixName>* rows);

}  // namespace reuseport
