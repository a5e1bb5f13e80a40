#include "core/descriptor_message.h"

#include <cerrno>

namespace reuseport {

Status SendDescriptor(const Sys&, int, int, const std::string&) {
  return Failure{ENOSYS, "sendmsg"};
}

Result<DescriptorMessage> ReceiveDescriptor(const Sys&, int) {
  return Failure{ENOSYS, "recvmsg"};
}

}  // namespace reuseport
