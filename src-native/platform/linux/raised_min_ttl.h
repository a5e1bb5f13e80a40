#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/enable_option.h"
#include "core/result.h"
#include "core/sys.h"

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif

namespace reuseport {

// The TTL of the packets by which the probe asks for a slot, and the lowest one that the listeners sought take.
inline constexpr int kProbeTtl = 1;
inline constexpr int kListenerMinTtl = 2;
// Only packets with the highest TTL pass. Those of the system have a lower one (net.ipv4.ip_default_ttl).
inline constexpr int kHighestTtl = 255;

// The option that makes a socket drop packets with a lower TTL: ip(7), ipv6(7).
inline Status SetMinTtl(const Sys& sys, int fd, int family, int ttl) {
  return family == AF_INET ? EnableOption(sys, fd, IPPROTO_IP, IP_MINTTL, ttl)
                           : EnableOption(sys, fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, ttl);
}

inline Status SetTtl(const Sys& sys, int fd, int family, int ttl) {
  return family == AF_INET ? EnableOption(sys, fd, IPPROTO_IP, IP_TTL, ttl)
                           : EnableOption(sys, fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
}

// Raises the minimum TTL of listeners above that of the probe. The destructor restores the values from before, also
// after a failure.
class RaisedMinTtl {
 public:
  // `family` is that of the packets: a listener of IPv6 may receive packets of both.
  RaisedMinTtl(const Sys& sys, int family) : sys_(sys), family_(family) {}
  RaisedMinTtl(const RaisedMinTtl&) = delete;
  RaisedMinTtl& operator=(const RaisedMinTtl&) = delete;
  RaisedMinTtl(RaisedMinTtl&&) = delete;
  RaisedMinTtl& operator=(RaisedMinTtl&&) = delete;
  ~RaisedMinTtl() {
    for (const Raised& raised : raised_) (void)SetMinTtl(sys_, raised.fd, family_, raised.before);
  }

  Status Add(int fd) {
    const bool v4 = family_ == AF_INET;
    int before = 0;
    socklen_t length = sizeof(before);
    if (sys_.getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MINTTL : IPV6_MINHOPCOUNT, &before, &length) != 0) {
      return Failure{errno, "getsockopt"};
    }
    raised_.push_back({fd, before});
    return Raise(raised_.size() - 1);
  }

  // `index`: the number of the listener in the order of Add().
  Status Raise(size_t index) {
    const Raised& raised = raised_[index];
    return SetMinTtl(sys_, raised.fd, family_, std::max(raised.before, kListenerMinTtl));
  }

  // The listener takes the packets of the probe. EPERM where it has a minimum of its own.
  Status Lower(size_t index) {
    const Raised& raised = raised_[index];
    if (raised.before > kProbeTtl) return Failure{EPERM, "getsockopt"};
    return SetMinTtl(sys_, raised.fd, family_, kProbeTtl);
  }

 private:
  struct Raised {
    int fd;
    int before;
  };

  const Sys& sys_;
  int family_;
  std::vector<Raised> raised_;
};

}  // namespace reuseport
