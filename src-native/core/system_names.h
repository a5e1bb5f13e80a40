#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

// The constants of socket options under one set of names. What this system does not have is kAbsent.
namespace reuseport {

inline constexpr int kAbsent = -1;

// As process.platform has it; empty where this has never been compiled.
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
// Part of the kernel's interface, and the same on every architecture; older C libraries lack some of them.
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
// The same options under other names (tcp(4), setsockopt(2)): macOS counts SO_LINGER in clock ticks.
#define TCP_KEEPIDLE TCP_KEEPALIVE
#undef SO_LINGER
#define SO_LINGER SO_LINGER_SEC
#undef SO_BINDTODEVICE
#endif

#ifndef __linux__
// Elsewhere it is a switch rather than the length of a queue.
#undef TCP_FASTOPEN
#endif

// BSDs and Solaris name the option that reports the destination of a datagram differently from Linux.
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

// Whether a socket is one of MPTCP is read from its protocol.
#ifdef __linux__
#define REUSEPORT_MPTCP SO_PROTOCOL
#else
#define REUSEPORT_MPTCP ::reuseport::kAbsent
#endif
