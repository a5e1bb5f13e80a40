#pragma once

#include <string>

#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

namespace reuseport {

// A named lock of this network namespace: an abstract unix socket (unix(7)). Closing its descriptor releases the lock;
// the kernel does so when the process dies. If another process holds the lock, the call connects to that process and
// waits for the connection to end, for at most `timeout_ms`, then fails with ETIMEDOUT. EACCES if a process of another
// user holds the name; ENOSYS if the system has no abstract sockets; ENAMETOOLONG.
Result<UniqueFd> AcquireLock(const Sys& sys, const std::string& name, int timeout_ms);

// A connection to the process that holds the lock. The connection ends when the lock is released. ECONNREFUSED if no
// process holds the lock, or the holder does not listen yet; EAGAIN if too many connections wait in the holder's queue;
// EACCES if a process of another user holds the name.
Result<UniqueFd> ConnectToLock(const Sys& sys, const std::string& name);

}  // namespace reuseport
