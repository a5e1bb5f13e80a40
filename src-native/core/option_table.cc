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

// The types and the reference are generated from these texts. No code reads them at run time.
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
   Text("Size of the receive buffer, which also bounds the TCP window. Linux caps the value at net.core.rmem_max and"
   " doubles it for its bookkeeping; reading the option gives the doubled size. Setting the option turns TCP's"
   " automatic tuning off.")},
  {"sendBufferSize", Wire::kInteger, "bytes", 1, INT_MAX, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_SNDBUF), Socket(SO_SNDBUF), kInherited, nullptr, kAll, Text("socket(7) SO_SNDBUF"),
   Text("Size of the send buffer. Linux caps the value at net.core.wmem_max and doubles it; reading the option gives"
   " the doubled size. Setting the option turns TCP's automatic tuning off.")},
  {"mark", Wire::kInteger, nullptr, 0, UINT32_MAX, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_MARK), Socket(SO_MARK), kInherited, "CAP_NET_ADMIN", kLinux, Text("socket(7) SO_MARK"),
   Text("Mark on every packet that the socket sends, for routing rules and packet filters. Linux 5.17 and later also"
   " accept CAP_NET_RAW.")},
  {"bindToDevice", Wire::kText, nullptr, 1, kNameLength, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_BINDTODEVICE), Socket(SO_BINDTODEVICE), kInherited, "CAP_NET_RAW", kLinux,
   Text("socket(7) SO_BINDTODEVICE"),
   Text("Name of the only network device from which the socket receives packets, such as 'eth0'. Sockets of different"
   " devices form different groups. Linux 5.7 and later need no capability.")},
  {"freebind", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeBind, kTcp, kUdp,
   Ip(IP_FREEBIND), Ipv6(IPV6_FREEBIND), kInherited, nullptr, kLinux, Text("ip(7) IP_FREEBIND"),
   Text("Allows binding to an address that no interface has yet. For IPv6: Linux 4.15 and later.")},
  {"transparent", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeBind, kTcp, kUdp,
   Ip(IP_TRANSPARENT), Ipv6(IPV6_TRANSPARENT), kInherited, "CAP_NET_ADMIN", kLinux, Text("ip(7) IP_TRANSPARENT"),
   Text("Allows binding to an address that is not local, for transparent proxies. CAP_NET_RAW suffices too.")},
  {"incomingCpu", Wire::kInteger, nullptr, 0, INT_MAX, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_INCOMING_CPU), Socket(SO_INCOMING_CPU), kNot, nullptr, kLinux, Text("socket(7) SO_INCOMING_CPU"),
   Text("Where the kernel honours the option within groups (Linux 6.2 and later), it prefers this member for packets"
   " that the CPU with this number receives. Once a packet has arrived, reading the option gives the CPU that handled"
   " the last packet.")},
  {"busyPoll", Wire::kInteger, "microseconds", 0, INT_MAX, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_BUSY_POLL), Socket(SO_BUSY_POLL), kInherited, "CAP_NET_ADMIN", kLinux, Text("socket(7) SO_BUSY_POLL"),
   Text("How long a receive call polls the device when no data is there. Older kernels require the capability for"
   " values above net.core.busy_read; Linux 6.18 does not.")},
  {"typeOfService", Wire::kInteger, nullptr, 0, 255, Stage::kBeforeBind, kTcp, kUdp,
   Ip(IP_TOS), Ip(IP_TOS), kInherited, nullptr, kAll, Text("ip(7) IP_TOS"),
   Text("Type of service (DSCP and ECN) in the IPv4 header. On a dual-stack IPv6 socket the option applies to the IPv4"
   " traffic, where the system allows that (Linux). TCP controls the two ECN bits itself. For IPv6 use trafficClass.")},
  {"priority", Wire::kInteger, nullptr, 0, INT_MAX, Stage::kBeforeBind, kTcp, kUdp,
   Socket(SO_PRIORITY), Socket(SO_PRIORITY), kNot, "CAP_NET_ADMIN", kLinux, Text("socket(7) SO_PRIORITY"),
   Text("Priority of the packets that the socket sends, for queueing disciplines. Values from 0 to 6 need no privilege."
   " If the option is not given, Linux derives the priority from typeOfService.")},
  {"trafficClass", Wire::kInteger, nullptr, 0, 255, Stage::kBeforeBind, kTcp, kUdp,
   kNone, Ipv6(IPV6_TCLASS), kInherited, nullptr, kAll, Text("ipv6(7), RFC 3542 IPV6_TCLASS"),
   Text("Traffic class (DSCP and ECN) in the IPv6 header. TCP controls the two ECN bits itself. Only for IPv6"
   " sockets.")},
  {"ttl", Wire::kInteger, "hops", 1, 255, Stage::kBeforeBind, kTcp, kUdp,
   Ip(IP_TTL), Ip(IP_TTL), kInherited, nullptr, kAll, Text("ip(7) IP_TTL"),
   Text("Time to live in the IPv4 header. On a dual-stack IPv6 socket the option applies to the IPv4 traffic (Linux)."
   " For IPv6 use hopLimit.")},
  {"hopLimit", Wire::kInteger, "hops", 1, 255, Stage::kBeforeBind, kTcp, kUdp,
   kNone, Ipv6(IPV6_UNICAST_HOPS), kInherited, nullptr, kAll, Text("ipv6(7) IPV6_UNICAST_HOPS"),
   Text("Hop limit in the IPv6 header. Only for IPv6 sockets.")},

  {"deferAccept", Wire::kInteger, "seconds", 0, INT_MAX, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_DEFER_ACCEPT), Tcp(TCP_DEFER_ACCEPT), kNot, nullptr, kLinux, Text("tcp(7) TCP_DEFER_ACCEPT"),
   Text("The kernel hands a connection to the server only when its first data has arrived. When a connection sends no"
   " data for this long, the kernel hands it over or drops it. Linux rounds the time up to a time of its"
   " retransmissions: 1, 3, 7, 15, 31 or 63. Not for protocols in which the server speaks first. 0 turns the option"
   " off.")},
  {"fastOpen", Wire::kInteger, "connections", 0, INT_MAX, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_FASTOPEN), Tcp(TCP_FASTOPEN), kNot, nullptr, kLinux, Text("tcp(7) TCP_FASTOPEN, RFC 7413"),
   Text("Length of the queue of connections whose data came with the SYN (TCP Fast Open). Takes effect if the bit 0x2"
   " of net.ipv4.tcp_fastopen is set. The kernel caps the length at somaxconn. 0 turns the option off.")},
  {"noDelay", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_NODELAY), Tcp(TCP_NODELAY), kInherited, nullptr, kAll, Text("tcp(7) TCP_NODELAY"),
   Text("Sends small segments at once (disables Nagle's algorithm). Node sets the option for http by itself;"
   " setNoDelay() of a connection changes it.")},
  {"keepAlive", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeListen, kTcp, kNot,
   Socket(SO_KEEPALIVE), Socket(SO_KEEPALIVE), kInherited, nullptr, kAll, Text("socket(7) SO_KEEPALIVE"),
   Text("Probes idle connections, to find out whether the peer still answers. An object turns the probes on and sets"
   " their times; a part that is left out keeps the system's value.")},
  {"keepAlive.idle", Wire::kInteger, "seconds", 1, 32767, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_KEEPIDLE), Tcp(TCP_KEEPIDLE), kInherited, nullptr, "linux android freebsd netbsd darwin sunos aix",
   "tcp(7) TCP_KEEPIDLE", "Idle time before the first probe."},
  {"keepAlive.interval", Wire::kInteger, "seconds", 1, 32767, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_KEEPINTVL), Tcp(TCP_KEEPINTVL), kInherited, nullptr, "linux android freebsd netbsd darwin sunos aix",
   "tcp(7) TCP_KEEPINTVL", "Time between probes."},
  {"keepAlive.count", Wire::kInteger, "probes", 1, 127, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_KEEPCNT), Tcp(TCP_KEEPCNT), kInherited, nullptr, "linux android freebsd netbsd darwin sunos aix",
   "tcp(7) TCP_KEEPCNT", "Number of unanswered probes after which the kernel resets the connection."},
  {"userTimeout", Wire::kInteger, "milliseconds", 0, INT_MAX, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_USER_TIMEOUT), Tcp(TCP_USER_TIMEOUT), kInherited, nullptr, kLinux, Text("tcp(7) TCP_USER_TIMEOUT, RFC 5482"),
   Text("How long sent data may stay unacknowledged before the kernel resets the connection. 0 selects the system's"
   " default.")},
  {"congestion", Wire::kText, nullptr, 1, kNameLength, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_CONGESTION), Tcp(TCP_CONGESTION), kInherited, "CAP_NET_ADMIN", "linux android freebsd",
   "tcp(7) TCP_CONGESTION",
   "Name of the congestion control algorithm, such as 'cubic' or 'bbr'. The algorithms listed in"
   " net.ipv4.tcp_allowed_congestion_control need no privilege."},
  {"maxSegment", Wire::kInteger, "bytes", 88, 32767, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_MAXSEG), Tcp(TCP_MAXSEG), kInherited, nullptr, kAll, Text("tcp(7) TCP_MAXSEG"),
   Text("Largest segment that the socket sends and announces. The MTU bounds the size too: reading the option of a"
   " connection gives the size in use.")},
  {"notSentLowWater", Wire::kInteger, "bytes", 0, INT_MAX, Stage::kBeforeListen, kTcp, kNot,
   Tcp(TCP_NOTSENT_LOWAT), Tcp(TCP_NOTSENT_LOWAT), kInherited, nullptr, "linux android darwin",
   "tcp(7) TCP_NOTSENT_LOWAT",
   "The socket counts as writable only while fewer than this many bytes wait unsent. The application then produces its"
   " data later, so the data is fresher."},
  {"linger", Wire::kLinger, "seconds", 0, 32767, Stage::kBeforeListen, kTcp, kNot,
   Socket(SO_LINGER), Socket(SO_LINGER), kInherited, nullptr, kAll, Text("socket(7) SO_LINGER"),
   Text("What close() does with data that is still unsent. false: the kernel sends it in the background. 0: the kernel"
   " discards it and resets the connection. A time: close() waits at most that long. Node's sockets do not block, so a"
   " time has little effect there.")},
  {"quickAck", Wire::kFlag, nullptr, 0, 1, Stage::kAfterListen, kTcp, kNot,
   Tcp(TCP_QUICKACK), Tcp(TCP_QUICKACK), kInherited, nullptr, kLinux, Text("tcp(7) TCP_QUICKACK"),
   Text("Acknowledges at once instead of together with the next data. The setting is not permanent: the kernel changes"
   " it during the connection.")},
  {"mptcp", Wire::kProtocol, nullptr, 0, 1, Stage::kCreation, kTcp, kNot,
   Socket(REUSEPORT_MPTCP), Socket(REUSEPORT_MPTCP), kInherited, nullptr, kLinux,
   Text("RFC 8684, socket(2) IPPROTO_MPTCP"),
   Text("Multipath TCP: clients that support it use several paths and get MPTCP connections; other clients get plain"
   " TCP. Linux 5.6 and later with net.mptcp.enabled. On such a socket Linux 6.18 refuses ttl, hopLimit, trafficClass,"
   " userTimeout and quickAck.")},
  {"acceptFilter", Wire::kAcceptFilter, nullptr, 1, kNameLength, Stage::kAfterListen, kTcp, kNot,
   Socket(SO_ACCEPTFILTER), Socket(SO_ACCEPTFILTER), kNot, nullptr, "freebsd netbsd",
   Text("accept_filter(9), accf_http(9)"),
   Text("Name of the filter that a connection must pass before the server can accept it, such as 'dataready' or"
   " 'httpready'.")},

  {"broadcast", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeBind, kNot, kUdp,
   Socket(SO_BROADCAST), Socket(SO_BROADCAST), kNot, nullptr, kAll, Text("socket(7) SO_BROADCAST"),
   Text("Allows sending to broadcast addresses.")},
  {"multicastLoop", Wire::kOctetFlag, nullptr, 0, 1, Stage::kBeforeBind, kNot, kUdp,
   Ip(IP_MULTICAST_LOOP), Ipv6(IPV6_MULTICAST_LOOP), kNot, nullptr, kAll, Text("ip(7) IP_MULTICAST_LOOP"),
   Text("Whether multicast datagrams that this socket sends also reach the sockets of this machine. On by default.")},
  {"multicastTtl", Wire::kOctet, "hops", 0, 255, Stage::kBeforeBind, kNot, kUdp,
   Ip(IP_MULTICAST_TTL), Ipv6(IPV6_MULTICAST_HOPS), kNot, nullptr, kAll, Text("ip(7) IP_MULTICAST_TTL"),
   Text("Time to live (IPv4) or hop limit (IPv6) of the multicast datagrams that this socket sends. 1 by default: the"
   " datagrams stay in the local network.")},
  {"receivePacketInfo", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeBind, kNot, kUdp,
   Ip(REUSEPORT_RECVPKTINFO), Ipv6(IPV6_RECVPKTINFO), kNot, nullptr,
   "linux android freebsd openbsd netbsd darwin sunos",
   "ip(7) IP_PKTINFO, RFC 3542",
   "Control messages carry the address and the device at which a datagram arrived; on FreeBSD and OpenBSD for IPv6"
   " only. dgram does not expose control messages: this option is for code that reads from the descriptor itself."},
  {"gro", Wire::kFlag, nullptr, 0, 1, Stage::kBeforeBind, kNot, kUdp,
   {IPPROTO_UDP, UDP_GRO}, {IPPROTO_UDP, UDP_GRO}, kNot, nullptr, kLinux, Text("udp(7) UDP_GRO"),
   Text("The kernel may deliver several datagrams of one sender as one, with their size in a control message (Linux"
   " 5.0). dgram does not expose that size and would emit them as one 'message': this option is only for code that"
   " reads from the descriptor itself.")},
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
              "the systems of a row disagree with core/system_names.h");

}  // namespace

SocketOptionTable SocketOptions() {
  return {std::begin(kOptions), std::end(kOptions)};
}

}  // namespace reuseport
