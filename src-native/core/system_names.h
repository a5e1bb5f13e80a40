#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

// One set of names for the constants of socket options. Constants that this system lacks are kAbsent.
namespace reuseport {

inline constexpr int kAbsent = -1;

// The name in process.platform. Empty on systems for which this code was never compiled.
#if defined(__ANDROID__)
inline constexpr char kSystemName[] = "android";
#elif defined(__linux__)
inline constexpr char kSystemName[] = "linux";
#elif defined(__APPLE__)
inline constexpr char kSystemName[] = "darwin";
#elif defined(__FreeBSD__)
inline constexpr char kSystemName[] = "freebsd";
#elif defined(__OpenBSD__)
inline constexpr char kSystemName[] = "openbsd";
#elif defined(__NetBSD__)
inline constexpr char kSystemName[] = "netbsd";
#else
inline constexpr char kSystemName[] = "";
#endif

}  // namespace reuseport

#ifdef __linux__
// Part of the kernel's interface and the same on every architecture, but missing in older C libraries.
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#endif

#ifdef __APPLE__
// macOS has these options under other names (tcp(4), setsockopt(2)). Its SO_LINGER counts clock ticks, SO_LINGER_SEC
// counts seconds.
#define TCP_KEEPIDLE TCP_KEEPALIVE
#undef SO_LINGER
#define SO_LINGER SO_LINGER_SEC
#undef SO_BINDTODEVICE
#endif

#ifndef __linux__
// On other systems the option is a switch, not the length of a queue.
#undef TCP_FASTOPEN
#endif

// The option that reports the destination of a datagram: BSDs and Solaris name it differently from Linux.
#if defined(IP_RECVPKTINFO) && !defined(__linux__)
#define REUSEPORT_RECVPKTINFO IP_RECVPKTINFO
#elif defined(__linux__)
#define REUSEPORT_RECVPKTINFO IP_PKTINFO
#else
#define REUSEPORT_RECVPKTINFO ::reuseport::kAbsent
#endif

#ifndef SO_PRIORITY
#define SO_PRIORITY ::reuseport::kAbsent
#endif
#ifndef SO_MARK
#define SO_MARK ::reuseport::kAbsent
#endif
#ifndef SO_BINDTODEVICE
#define SO_BINDTODEVICE ::reuseport::kAbsent
#endif
#ifndef SO_INCOMING_CPU
#define SO_INCOMING_CPU ::reuseport::kAbsent
#endif
#ifndef SO_BUSY_POLL
#define SO_BUSY_POLL ::reuseport::kAbsent
#endif
#ifndef SO_ACCEPTFILTER
#define SO_ACCEPTFILTER ::reuseport::kAbsent
#endif
#ifndef IP_FREEBIND
#define IP_FREEBIND ::reuseport::kAbsent
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND ::reuseport::kAbsent
#endif
#ifndef IP_TRANSPARENT
#define IP_TRANSPARENT ::reuseport::kAbsent
#endif
#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT ::reuseport::kAbsent
#endif
#ifndef IPV6_RECVPKTINFO
#define IPV6_RECVPKTINFO ::reuseport::kAbsent
#endif
#ifndef TCP_DEFER_ACCEPT
#define TCP_DEFER_ACCEPT ::reuseport::kAbsent
#endif
#ifndef TCP_FASTOPEN
#define TCP_FASTOPEN ::reuseport::kAbsent
#endif
#ifndef TCP_USER_TIMEOUT
#define TCP_USER_TIMEOUT ::reuseport::kAbsent
#endif
#ifndef TCP_CONGESTION
#define TCP_CONGESTION ::reuseport::kAbsent
#endif
#ifndef TCP_NOTSENT_LOWAT
#define TCP_NOTSENT_LOWAT ::reuseport::kAbsent
#endif
#ifndef TCP_QUICKACK
#define TCP_QUICKACK ::reuseport::kAbsent
#endif
#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE ::reuseport::kAbsent
#endif
#ifndef TCP_KEEPINTVL
#define TCP_KEEPINTVL ::reuseport::kAbsent
#endif
#ifndef TCP_KEEPCNT
#define TCP_KEEPCNT ::reuseport::kAbsent
#endif
#ifndef UDP_GRO
#define UDP_GRO ::reuseport::kAbsent
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP ::reuseport::kAbsent
#endif

// The protocol of a socket tells whether it is an MPTCP socket.
#ifdef __linux__
#define REUSEPORT_MPTCP SO_PROTOCOL
#else
#define REUSEPORT_MPTCP ::reuseport::kAbsent
#endif
