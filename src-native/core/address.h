#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "core/result.h"
#include "core/sys.h"

namespace reuseport {

// An IPv4 or IPv6 socket address with the length that its family has.
class SocketAddress {
 public:
  // `text` is a numeric address; an IPv6 one may carry a zone ("fe80::1%eth0"). EINVAL for anything else. A zone that
  // names no interface becomes scope 0, as in libuv, so that bind() reports it.
  static Result<SocketAddress> Parse(int family, const std::string& text, uint16_t port);

  // The local address of a socket, checked against what the kernel said it wrote.
  static Result<SocketAddress> OfSocket(const Sys& sys, int fd);

  int family() const { return storage_.ss_family; }
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }
  uint16_t port() const;
  std::string Text() const;

 private:
  SocketAddress() = default;

  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace reuseport
