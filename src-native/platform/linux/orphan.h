#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "core/address.h"
#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

namespace reuseport {

// A connection whose other end has gone without a word. The kernel looks up a socket for each packet that it sends;
// there is no connection any more, so it gives the packet to a listener at the address of the other end: to a member of
// the group. A listener answers a packet that neither begins nor belongs to a connection with RST, and keeps nothing.
class Orphan {
 public:
  // `group`: the address and port at which this machine reaches the group. `owner`: the user whose group it is.
  Orphan(const Sys& sys, const SocketAddress& group, int device, uid_t owner)
      : sys_(sys), group_(group), device_(device), owner_(owner) {}
  Orphan(Orphan&&) = delete;
  Orphan(const Orphan&) = delete;
  Orphan& operator=(const Orphan&) = delete;
  Orphan& operator=(Orphan&&) = delete;
  ~Orphan() { End(); }

  // Chooses the port that packets come from.
  Status Open();
  uint16_t port() const { return port_; }

  // Sends one packet with this payload to the group.
  Status Send(uint16_t payload);
  // Whether an answer has come since the last call.
  Result<bool> IsAnswered();
  // From the next Send() on it is another connection.
  void End();

 private:
  Status Begin();
  Result<UniqueFd> Connect();
  Result<UniqueFd> OpenOtherEnd();
  Result<UniqueFd> Accept();

  const Sys& sys_;
  const SocketAddress group_;
  const int device_;
  const uid_t owner_;
  uint16_t port_ = 0;
  std::optional<UniqueFd> listener_;
  std::optional<UniqueFd> connection_;
  int packets_left_ = 0;
  uint32_t drops_ = 0;
};

}  // namespace reuseport
