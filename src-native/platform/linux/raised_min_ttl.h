#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "core/enable_option.h"
#include "core/result.h"
#include "core/sys.h"

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif

namespace reuseport {

// The option that makes a socket drop packets with a lower TTL: ip(7), ipv6(7).
struct MinTtl {
  int level;
  int name;
};

inline MinTtl MinTtlOf(int family) {
  return family == AF_INET ? MinTtl{IPPROTO_IP, IP_MINTTL} : MinTtl{IPPROTO_IPV6, IPV6_MINHOPCOUNT};
}

// Raises the minimum TTL of listeners. The destructor restores the values from before, also after a failure.
class RaisedMinTtl {
 public:
  RaisedMinTtl(const Sys& sys, int family) : sys_(sys), option_(MinTtlOf(family)) {}
  RaisedMinTtl(const RaisedMinTtl&) = delete;
  RaisedMinTtl& operator=(const RaisedMinTtl&) = delete;
  RaisedMinTtl(RaisedMinTtl&&) = delete;
  RaisedMinTtl& operator=(RaisedMinTtl&&) = delete;
  ~RaisedMinTtl() {
    for (const Raised& raised : raised_) {
      sys_.setsockopt(raised.fd, option_.level, option_.name, &raised.before, sizeof(raised.before));
    }
  }

  Status Raise(int fd, int ttl) {
    int before = 0;
    socklen_t length = sizeof(before);
    if (sys_.getsockopt(fd, option_.level, option_.name, &before, &length) != 0) return Failure{errno, "getsockopt"};
    if (before >= ttl) return Done{};
    Status set = EnableOption(sys_, fd, option_.level, option_.name, ttl);
    if (set.ok()) raised_.push_back({fd, before});
    return set;
  }

 private:
  struct Raised {
    int fd;
    int before;
  };

  const Sys& sys_;
  MinTtl option_;
  std::vector<Raised> raised_;
};

}  // namespace reuseport
