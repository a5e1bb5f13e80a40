#include "core/steering.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>

#include "core/enable_option.h"
#include "platform/linux/raised_min_ttl.h"

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#endif
#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

namespace reuseport {
namespace {

static_assert(sizeof(Instruction) == sizeof(sock_filter) && offsetof(Instruction, k) == offsetof(sock_filter, k) &&
                  offsetof(Instruction, jump_true) == offsetof(sock_filter, jt) &&
                  offsetof(Instruction, jump_false) == offsetof(sock_filter, jf),
              "AttachProgram() passes instructions to the kernel unchanged");

Result<int> GetInteger(const Sys& sys, int fd, int level, int name) {
  int value = 0;
  socklen_t length = sizeof(value);
  if (sys.getsockopt(fd, level, name, &value, &length) != 0) return Failure{errno, "getsockopt"};
  return value;
}

}  // namespace

Status AttachProgram(const Sys& sys, int fd, const Program& program, bool to_socket) {
  Status checked = CheckProgram(program);
  if (!checked.ok()) return checked;
  sock_fprog filter{};
  filter.len = static_cast<unsigned short>(program.size());
  // The kernel does not write to the program.
  filter.filter = reinterpret_cast<sock_filter*>(const_cast<Instruction*>(program.data()));
  const int name = to_socket ? SO_ATTACH_FILTER : SO_ATTACH_REUSEPORT_CBPF;
  if (sys.setsockopt(fd, SOL_SOCKET, name, &filter, sizeof(filter)) != 0) {
    return Failure{errno, "setsockopt"};
  }
  return Done{};
}

Status DetachProgram(const Sys& sys, int fd) {
  const int nothing = 0;
  if (sys.setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &nothing, sizeof(nothing)) != 0 && errno != ENOENT) {
    return Failure{errno, "setsockopt"};
  }
  return Done{};
}

Result<AcceptQueue> AcceptQueueOf(const Sys& sys, int fd) {
  // For a listener tcpi_unacked is the length of the accept queue, and tcpi_sacked is the backlog. The struct of the
  // kernel has more fields than this one; they are not requested.
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (sys.getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return Failure{errno, "getsockopt"};
  if (length < offsetof(tcp_info, tcpi_sacked) + sizeof(info.tcpi_sacked)) return Failure{EINVAL, "getsockopt"};
  if (info.tcpi_state != TCP_LISTEN) return Failure{EINVAL, "getsockopt"};
  return AcceptQueue{info.tcpi_unacked, info.tcpi_sacked};
}

Result<MinTtls> DeferNewConnections(const Sys& sys, int fd, int family) {
  Result<int> ipv4 = GetInteger(sys, fd, IPPROTO_IP, IP_MINTTL);
  if (!ipv4.ok()) return ipv4.failure();
  MinTtls before{ipv4.value(), 0};
  if (family == AF_INET6) {
    Result<int> ipv6 = GetInteger(sys, fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT);
    if (!ipv6.ok()) return ipv6.failure();
    before.ipv6 = ipv6.value();
  }
  Status deferred = AnswerNewConnections(sys, fd, family, {kHighestTtl, kHighestTtl});
  if (!deferred.ok()) return deferred.failure();
  return before;
}

Status AnswerNewConnections(const Sys& sys, int fd, int family, const MinTtls& before) {
  // An IPv6 socket may receive IPv4 packets too, which have a minimum TTL of their own.
  Status set = EnableOption(sys, fd, IPPROTO_IP, IP_MINTTL, before.ipv4);
  if (!set.ok() || family == AF_INET) return set;
  return EnableOption(sys, fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, before.ipv6);
}

Status LeaveGroup(const Sys& sys, int fd, int family, bool detach) {
  // Between DetachProgram() and shutdown() the hash may choose this listener once more. A SYN that stays unanswered is
  // better than a connection that is reset.
  (void)AnswerNewConnections(sys, fd, family, {kHighestTtl, kHighestTtl});
  Status detached = detach ? DetachProgram(sys, fd) : Done{};
  // close() would not take the listener out of the group while other descriptors of the socket are open.
  if (sys.shutdown(fd, SHUT_RD) != 0) return Failure{errno, "shutdown"};
  return detached;
}

Status ConnectDatagram(const Sys& sys, int fd, const SocketAddress& sender) {
  if (sys.connect(fd, sender.data(), sender.size()) != 0) return Failure{errno, "connect"};
  return Done{};
}

}  // namespace reuseport
