#include "core/socket_dump.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>

#include "platform/linux/dump_parser.h"
#include "platform/linux/netlink_dump.h"

namespace reuseport {

Result<std::vector<SocketRow>> DumpSockets(const Sys& sys, const DumpRequest& request) {
  inet_diag_req_v2 message{};
  message.sdiag_family = static_cast<uint8_t>(request.family);
  message.sdiag_protocol = request.transport == Transport::kTcp ? IPPROTO_TCP : IPPROTO_UDP;
  message.idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1);
  message.idiag_states = request.states;
  message.id.idiag_sport = htons(request.port);
  return Dump<SocketRow>(sys, message, ParseDump);
}

}  // namespace reuseport
