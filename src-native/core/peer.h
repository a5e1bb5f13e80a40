#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.h"
#include "core/sys.h"

// Whose process is at the other end, or has a name. Each fails with ENOSYS where the system does not tell.
namespace reuseport {

struct Peer {
  int pid;  // 0 where the pid namespace of this process does not see it
  uint32_t uid;
  bool is_own;
};

// The process at the other end of a unix socket: SO_PEERCRED, unix(7). For a connection to a listener, the process that
// called listen().
Result<Peer> PeerOf(const Sys& sys, int fd);

struct NameOwner {
  std::optional<uint32_t> uid;  // unknown before Linux 5.3 where the socket does not take connections
  bool is_own;
};

// Who has bound a stream socket to an abstract name: the peer of a connection where one can be made, otherwise by a
// dump of all unix sockets (sock_diag(7)). ENOENT where nobody has.
Result<NameOwner> OwnerOfName(const Sys& sys, const std::string& name);

// Whether another user may have the same number as this one. The kernel shows all users that a user namespace does not
// map as one number (/proc/sys/kernel/overflowuid), and this user may itself be one of them: user_namespaces(7).
bool IsUidAmbiguous(const Sys& sys);

}  // namespace reuseport
