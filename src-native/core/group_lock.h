#pragma once

#include <string>

#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

namespace reuseport {

// A lock of this network namespace that is named, and released when its descriptor is closed, also by the death of its
// process: an abstract unix socket (unix(7)). Waits for whoever has it, by the end of a connection to it, for at most
// this long. ETIMEDOUT after that; EACCES where a process of another user has the name; ENOSYS where the system has no
// such sockets; ENAMETOOLONG.
Result<UniqueFd> AcquireLock(const Sys& sys, const std::string& name, int timeout_ms);

// A connection to whoever has the lock, which ends with it. ECONNREFUSED where nobody has it, or does not listen yet;
// EAGAIN where too many wait; EACCES where a process of another user has the name.
Result<UniqueFd> ConnectToLock(const Sys& sys, const std::string& name);

}  // namespace reuseport
