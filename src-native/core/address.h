#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "core/result.h"
#include "core/sys.h"

namespace reuseport {

// An IPv4 or IPv6 socket address, with the length for its family.
class SocketAddress {
 public:
  // `text` is a numeric address. An IPv6 address may have a zone ("fe80::1%eth0"). EINVAL for any other text. A zone
  // that names no interface becomes scope 0, as in libuv: bind() then reports the error.
  static Result<SocketAddress> Parse(int family, const std::string& text, uint16_t port);

  // The local address of a socket. EAFNOSUPPORT if the kernel gave no complete IPv4 or IPv6 address.
  static Result<SocketAddress> OfSocket(const Sys& sys, int fd);

  // The same address with another port.
  SocketAddress WithPort(uint16_t port) const;
  // A link-local address of IPv6 (fe80::/10) gets the interface as its zone. Every other address stays as it is.
  SocketAddress AtInterface(uint32_t index) const;

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
