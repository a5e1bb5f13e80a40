#include "core/group_lock.h"

#include <cerrno>

namespace reuseport {

Result<UniqueFd> AcquireLock(const Sys& /*sys*/, const std::string& /*name*/, int /*timeout_ms*/) {
  return Failure{ENOSYS, "bind"};
}

}  // namespace reuseport
