#include "core/steering.h"

#include <cerrno>

namespace reuseport {

Status AttachProgram(const Sys&, int, const Program&, bool) {
  return Failure{ENOSYS, "setsockopt"};
}

Status DetachProgram(const Sys&, int) {
  return Failure{ENOSYS, "setsockopt"};
}

Result<std::vector<int>> LearnSlots(const Sys&, const SlotProbe&) {
  return Failure{ENOSYS, "setsockopt"};
}

Result<AcceptQueue> AcceptQueueOf(const Sys&, int) {
  return Failure{ENOSYS, "getsockopt"};
}

Result<MinTtls> DeferNewConnections(const Sys&, int, int) {
  return Failure{ENOSYS, "setsockopt"};
}

Status AnswerNewConnections(const Sys&, int, int, const MinTtls&) {
  return Failure{ENOSYS, "setsockopt"};
}

Status LeaveGroup(const Sys&, int, int, bool) {
  return Failure{ENOSYS, "setsockopt"};
}

Status ConnectDatagram(const Sys&, int, const SocketAddress&) {
  return Failure{ENOSYS, "connect"};
}

Result<UniqueFd> TakeSocket(const Sys&, int, uint64_t) {
  return Failure{ENOSYS, "pidfd_getfd"};
}

}  // namespace reuseport
