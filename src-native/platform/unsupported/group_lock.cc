#include "core/group_lock.h"

#include <cerrno>

namespace reuseport {

Result<UniqueFd> AcquireLock(const Sys& /*sys*/, const std::string& /*name*/, int /*timeout_ms*/) {
  return Failure{ENOSYS, "bind"};
}

Result<UniqueFd> ConnectToLock(const Sys& /*sys*/, const std::string& /*name*/) {
  return Failure{ENOSYS, "connect"};
}

}  // namespace reuseport
