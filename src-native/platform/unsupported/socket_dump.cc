#include "core/socket_dump.h"

#include <cerrno>

namespace reuseport {

Result<std::vector<SocketRow>> DumpSockets(const Sys& /*sys*/, const DumpRequest& /*request*/) {
  return Failure{ENOSYS, "socket"};
}

}  // namespace reuseport
