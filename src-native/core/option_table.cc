#include "core/option_table.h"

#include <algorithm>
#include <climits>
#include <iterator>
#include <string_view>

#include "core/system_names.h"

namespace reuseport {
namespace {

constexpr const char* kAll = "linux android freebsd openbsd netbsd darwin sunos aix";
constexpr const char* kLinux = "linux android";
constexpr KernelOption kNone = {0, kAbsent};
constexpr int kNameLength = 15;  // IFNAMSIZ and TCP_CA_NAME_MAX, without the NUL

constexpr bool kTcp = true;
constexpr bool kUdp = true;
constexpr bool kNot = false;
constexpr bool kInherited = true;

constexpr KernelOption Socket(int name) {
  return {SOL_SOCKET, name};
}

constexpr KernelOption Ip(int name) {
  return {IPPROTO_IP, name};
}

constexpr KernelOption Ipv6(int name) {
  return {IPPROTO_IPV6, name};
}

constexpr KernelOption Tcp(int name) {
  return {IPPROTO_TCP, name};
}

// What the types and the reference are generated from; nobody reads it at run time.
#ifdef REUSEPORT_PACKED
constexpr const char* Text(const char* /*text*/) {
  return nullptr;
}
#else
constexpr const char* Text(const char* text) {
  return text;
}
#endif

// clang-format off
constexpr SocketOption kOptions[] = {
  {"receiveBufferSize", Wire::kInteger, "bytes", 1, INT_MAX, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_RCVBUF), Socket(SO_RCVBUF), kInherited, nullptr, kAll, Text("socket(7) SO_RCVBUF"),
   Text("Size of the receive buffer, which also bounds the TCP window. Linux caps it at net.core.rmem_max and doubles it for"
   " its bookkeeping: the doubled size is what is read back. Setting it turns TCP's automatic tuning off.")},
  {"sendBufferSize", Wire::kInteger, "bytes", 1, INT_MAX, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_SNDBUF), Socket(SO_SNDBUF), kInherited, nullptr, kAll, Text("socket(7) SO_SNDBUF"),
   Text("Size of the send buffer. Linux caps it at net.core.wmem_max and doubles it: the doubled size is what is read back."
   " Setting it turns TCP's automatic tuning off.")},
  {"mark", Wire::kInteger, nullptr, 0, UINT32_MAX, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_MARK), Socket(SO_MARK), kInherited, "CAP_NET_ADMIN", kLinux, Text("socket(7) SO_MARK"),
   Text("Mark on every packet that is sent, for routing rules and packet filters. Kernels from 5.17 on also accept"
   " CAP_NET_RAW.")},
  {"bindToDevice", Wire::kText, nullptr, 1, kNameLength, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_BINDTODEVICE), Socket(SO_BINDTODEVICE), kInherited, "CAP_NET_RAW", kLinux, Text("socket(7) SO_BINDTODEVICE"),
   Text("Name of the one network device whose packets arrive here, such as 'eth0'. Sockets of different devices are"
   " different groups. Kernels from 5.7 on need no capability.")},
  {"freebind", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeBind, kTcp, kUdp,
   Ip(IP_FREEBIND), Ipv6(IPV6_FREEBIND), kInherited, nullptr, kLinux, Text("ip(7) IP_FREEBIND"),
   Text("Allows binding to an address that no interface has yet. For IPv6 from Linux 4.15 on.")},
  {"transparent", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeBind, kTcp, kUdp,
   Ip(IP_TRANSPARENT), Ipv6(IPV6_TRANSPARENT), kInherited, "CAP_NET_ADMIN", kLinux, Text("ip(7) IP_TRANSPARENT"),
   Text("Allows binding to addresses of others, for transparent proxies. CAP_NET_RAW does as well.")},
  {"incomingCpu", Wire::kInteger, nullptr, 0, INT_MAX, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_INCOMING_CPU), Socket(SO_INCOMING_CPU), kNot, nullptr, kLinux, Text("socket(7) SO_INCOMING_CPU"),
   Text("Prefers this member of the group for what that CPU receives, where the kernel honours it in a group (6.2 and"
   " later). Read back, it is the CPU that handled the last packet once there was one.")},
  {"busyPoll", Wire::kInteger, "microseconds", 0, INT_MAX, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_BUSY_POLL), Socket(SO_BUSY_POLL), kInherited, "CAP_NET_ADMIN", kLinux, Text("socket(7) SO_BUSY_POLL"),
   Text("How long a receive call that finds nothing polls the device. Older kernels want the capability for more than"
   " net.core.busy_read; 6.18 does not.")},
  {"typeOfService", Wire::kInteger, nullptr, 0, 255, Stage::kBeforeBind, kTcp, kUdp,
   Ip(IP_TOS), Ip(IP_TOS), kInherited, nullptr, kAll, Text("ip(7) IP_TOS"),
   Text("Type of service (DSCP and ECN) in the IPv4 header; on a dual-stack IPv6 socket of its IPv4 traffic, where the"
   " system allows that (Linux). TCP keeps the two ECN bits to itself. IPv6 has trafficClass.")},
  {"priority", Wire::kInteger, nullptr, 0, INT_MAX, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_PRIORITY), Socket(SO_PRIORITY), kNot, "CAP_NET_ADMIN", kLinux, Text("socket(7) SO_PRIORITY"),
   Text("Priority of what is sent, for queueing disciplines. 0 to 6 need no privilege. Linux derives it from"
   " typeOfService unless it is given.")},
  {"trafficClass", Wire::kInteger, nullptr, 0, 255, Stage::kBeforeBind, kTcp, kUdp,
   kNone, Ipv6(IPV6_TCLASS), kInherited, nullptr, kAll, Text("ipv6(7), RFC 3542 IPV6_TCLASS"),
   Text("Traffic class (DSCP and ECN) in the IPv6 header. TCP keeps the two ECN bits to itself. Only for IPv6 sockets.")},
  {"ttl", Wire::kInteger, "hops", 1, 255, Stage::kBeforeBind, kTcp, kUdp,
   Ip(IP_TTL), Ip(IP_TTL), kInherited, nullptr, kAll, Text("ip(7) IP_TTL"),
   Text("Time to live in the IPv4 header; on a dual-stack IPv6 socket of its IPv4 traffic (Linux). IPv6 has hopLimit.")},
  {"hopLimit", Wire::kInteger, "hops", 1, 255, Stage::kBeforeBind, kTcp, kUdp,
   kNone, Ipv6(IPV6_UNICAST_HOPS), kInherited, nullptr, kAll, Text("ipv6(7) IPV6_UNICAST_HOPS"),
   Text("Hop limit in the IPv6 header. Only for IPv6 sockets.")},

  {"deferAccept", Wire::kInteger, "seconds", 0, INT_MAX, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_DEFER_ACCEPT), Tcp(TCP_DEFER_ACCEPT), kNot, nullptr, kLinux, Text("tcp(7) TCP_DEFER_ACCEPT"),
   Text("A connection is accepted only when its first data is here; one that sends none for this long is accepted or dropped"
   " then. Linux rounds up to the times of its retransmissions: 1, 3, 7, 15, 31, 63. Not for protocols in which the"
   " server speaks first. 0 is off.")},
  {"fastOpen", Wire::kInteger, "connections", 0, INT_MAX, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_FASTOPEN), Tcp(TCP_FASTOPEN), kNot, nullptr, kLinux, Text("tcp(7) TCP_FASTOPEN, RFC 7413"),
   Text("Length of the queue of connections whose data came with the SYN (TCP Fast Open). Takes effect where bit 2 of"
   " net.ipv4.tcp_fastopen is set; the kernel caps it at somaxconn. 0 is off.")},
  {"noDelay", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_NODELAY), Tcp(TCP_NODELAY), kInherited, nullptr, kAll, Text("tcp(7) TCP_NODELAY"),
   Text("Sends small segments at once (no Nagle). Node sets it by itself for http; a connection's setNoDelay() changes it.")},
  {"keepAlive", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeListen, kTcp, kNot,
   Socket(SO_KEEPALIVE), Socket(SO_KEEPALIVE), kInherited, nullptr, kAll, Text("socket(7) SO_KEEPALIVE"),
   Text("Asks peers that are silent whether they are still there. An object turns it on and sets its times; what is left out"
   " stays the system's.")},
  {"keepAlive.idle", Wire::kInteger, "seconds", 1, 32767, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_KEEPIDLE), Tcp(TCP_KEEPIDLE), kInherited, nullptr, "linux android freebsd netbsd darwin sunos aix",
   "tcp(7) TCP_KEEPIDLE", "Silence before the first question."},
  {"keepAlive.interval", Wire::kInteger, "seconds", 1, 32767, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_KEEPINTVL), Tcp(TCP_KEEPINTVL), kInherited, nullptr, "linux android freebsd netbsd darwin sunos aix",
   "tcp(7) TCP_KEEPINTVL", "Time between questions."},
  {"keepAlive.count", Wire::kInteger, "questions", 1, 127, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_KEEPCNT), Tcp(TCP_KEEPCNT), kInherited, nullptr, "linux android freebsd netbsd darwin sunos aix",
   "tcp(7) TCP_KEEPCNT", "Unanswered questions after which the connection is reset."},
  {"userTimeout", Wire::kInteger, "milliseconds", 0, INT_MAX, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_USER_TIMEOUT), Tcp(TCP_USER_TIMEOUT), kInherited, nullptr, kLinux, Text("tcp(7) TCP_USER_TIMEOUT, RFC 5482"),
   Text("How long sent data may stay unacknowledged before the connection is reset. 0 is the system's default.")},
  {"congestion", Wire::kText, nullptr, 1, kNameLength, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_CONGESTION), Tcp(TCP_CONGESTION), kInherited, "CAP_NET_ADMIN", "linux android freebsd",
   "tcp(7) TCP_CONGESTION",
   "Name of the congestion control algorithm, such as 'cubic' or 'bbr'. Those of"
   " net.ipv4.tcp_allowed_congestion_control need no privilege."},
  {"maxSegment", Wire::kInteger, "bytes", 88, 32767, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_MAXSEG), Tcp(TCP_MAXSEG), kInherited, nullptr, kAll, Text("tcp(7) TCP_MAXSEG"),
   Text("Largest segment that is sent and announced. The MTU bounds it as well: a connection reports what is in use.")},
  {"notSentLowWater", Wire::kInteger, "bytes", 0, INT_MAX, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_NOTSENT_LOWAT), Tcp(TCP_NOTSENT_LOWAT), kInherited, nullptr, "linux android darwin",
   "tcp(7) TCP_NOTSENT_LOWAT",
   "The socket counts as writable only while less than this waits unsent, so that data is made up later and is fresher."},
  {"linger", Wire::kLinger, "seconds", 0, 32767, Stage::kBeforeListen, kTcp, kNot,
   Socket(SO_LINGER), Socket(SO_LINGER), kInherited, nullptr, kAll, Text("socket(7) SO_LINGER"),
   Text("What closing does with data that is still unsent: false sends it in the background, 0 throws it away and resets the"
   " connection, a time lets close() wait that long. Node's sockets do not block, so a time means little there.")},
  {"quickAck", Wire::kFlag, nullptr, 0, 1, Stage::kAfterListen, kTcp, kNot,
   Tcp(TCP_QUICKACK), Tcp(TCP_QUICKACK), kInherited, nullptr, kLinux, Text("tcp(7) TCP_QUICKACK"),
   Text("Acknowledges at once rather than with the next data. Not permanent: the kernel changes it as the connection goes on.")},
  {"mptcp", Wire::kProtocol, nullptr, 0, 1, Stage::kCreation, kTcp, kNot,
   Socket(REUSEPORT_MPTCP), Socket(REUSEPORT_MPTCP), kInherited, nullptr, kLinux, Text("RFC 8684, socket(2) IPPROTO_MPTCP"),
   Text("Multipath TCP: clients that speak it use several paths and get connections of it, others get plain TCP. Linux 5.6"
   " and later with net.mptcp.enabled. On such a socket Linux 6.18 takes neither ttl, hopLimit, trafficClass,"
   " userTimeout nor quickAck.")},
  {"acceptFilter", Wire::kAcceptFilter, nullptr, 1, kNameLength, Stage::kAfterListen, kTcp, kNot,
   Socket(SO_ACCEPTFILTER), Socket(SO_ACCEPTFILTER), kNot, nullptr, "freebsd netbsd", Text("accept_filter(9), accf_http(9)"),
   Text("Name of the filter that a connection passes before it is accepted, such as 'dataready' or 'httpready'.")},

  {"broadcast", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeBind, kNot, kUdp,
   Socket(SO_BROADCAST), Socket(SO_BROADCAST), kNot, nullptr, kAll, Text("socket(7) SO_BROADCAST"),
   Text("Allows sending to broadcast addresses.")},
  {"multicastLoop", Wire::kOctetFlag, nullptr, 0, 1, Stage::kBeforeBind, kNot, kUdp,
   Ip(IP_MULTICAST_LOOP), Ipv6(IPV6_MULTICAST_LOOP), kNot, nullptr, kAll, Text("ip(7) IP_MULTICAST_LOOP"),
   Text("Whether multicast datagrams sent here reach the sockets of this machine too. On by default.")},
  {"multicastTtl", Wire::kOctet, "hops", 0, 255, Stage::kBeforeBind, kNot, kUdp,
   Ip(IP_MULTICAST_TTL), Ipv6(IPV6_MULTICAST_HOPS), kNot, nullptr, kAll, Text("ip(7) IP_MULTICAST_TTL"),
   Text("Time to live, or hop limit, of the multicast datagrams sent here. 1 by default: they stay in the network.")},
  {"receivePacketInfo", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeBind, kNot, kUdp,
   Ip(REUSEPORT_RECVPKTINFO), Ipv6(IPV6_RECVPKTINFO), kNot, nullptr, "linux android freebsd openbsd netbsd darwin sunos",
   "ip(7) IP_PKTINFO, RFC 3542",
   "Control messages say the address and device at which a datagram arrived; on FreeBSD and OpenBSD for IPv6 alone. dgram does not show them: this is for those"
   " who read from the descriptor themselves."},
  {"gro", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeBind, kNot, kUdp,
   {IPPROTO_UDP, UDP_GRO}, {IPPROTO_UDP, UDP_GRO}, kNot, nullptr, kLinux, Text("udp(7) UDP_GRO"),
   Text("The kernel may hand over several datagrams of one sender as one, with their size in a control message (Linux 5.0)."
   " dgram does not show that size and would emit them as one 'message': only for those who read from the descriptor"
   " themselves.")},
};
// clang-format on

constexpr bool IsIn(std::string_view word, std::string_view list) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(' '), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

constexpr bool SystemsAreRight() {
  for (const SocketOption& option : kOptions) {
    const bool exists = option.ipv4.name != kAbsent || option.ipv6.name != kAbsent;
    if (exists != IsIn(kSystemName, option.systems)) return false;
  }
  return true;
}

static_assert(std::string_view(kSystemName).empty() || SystemsAreRight(),
              "a row names this system, or does not, wrongly");

}  // namespace

SocketOptionTable SocketOptions() {
  return {std::begin(kOptions), std::end(kOptions)};
}

}  // namespace reuseport
