#include "core/peer.h"

#include <cerrno>

namespace reuseport {

Result<Peer> PeerOf(const Sys&, int) {
  return Failure{ENOSYS, "getsockopt"};
}

Result<NameOwner> OwnerOfName(const Sys&, const std::string&) {
  return Failure{ENOSYS, "connect"};
}

bool IsUidAmbiguous(const Sys&) {
  return false;
}

}  // namespace reuseport
