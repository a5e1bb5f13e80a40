#include "core/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <cerrno>

namespace reuseport {
namespace {

sockaddr_in* AsV4(sockaddr_storage* storage) {
  return reinterpret_cast<sockaddr_in*>(storage);
}

sockaddr_in6* AsV6(sockaddr_storage* storage) {
  return reinterpret_cast<sockaddr_in6*>(storage);
}

const sockaddr_in* AsV4(const sockaddr_storage* storage) {
  return reinterpret_cast<const sockaddr_in*>(storage);
}

const sockaddr_in6* AsV6(const sockaddr_storage* storage) {
  return reinterpret_cast<const sockaddr_in6*>(storage);
}

bool ParseV4(const std::string& text, uint16_t port, sockaddr_in* out) {
  out->sin_family = AF_INET;
  out->sin_port = htons(port);
  return inet_pton(AF_INET, text.c_str(), &out->sin_addr) == 1;
}

bool ParseV6(const std::string& text, uint16_t port, sockaddr_in6* out) {
  const size_t zone = text.find('%');
  out->sin6_family = AF_INET6;
  out->sin6_port = htons(port);
  if (zone != std::string::npos) out->sin6_scope_id = if_nametoindex(text.c_str() + zone + 1);
  return inet_pton(AF_INET6, text.substr(0, zone).c_str(), &out->sin6_addr) == 1;
}

}  // namespace

Result<SocketAddress> SocketAddress::Parse(int family, const std::string& text, uint16_t port) {
  SocketAddress address;
  // inet_pton() reads only up to a NUL: it would accept any text behind it.
  if (text.find('\0') != std::string::npos) return Failure{EINVAL, "bind"};

  const bool v4 = family == AF_INET;
  const bool valid = v4 ? ParseV4(text, port, AsV4(&address.storage_)) : ParseV6(text, port, AsV6(&address.storage_));
  if (!valid) return Failure{EINVAL, "bind"};
  address.size_ = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  return address;
}

Result<SocketAddress> SocketAddress::OfSocket(const Sys& sys, int fd) {
  SocketAddress address;
  socklen_t size = sizeof(address.storage_);
  if (sys.getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage_), &size) != 0) {
    return Failure{errno, "getsockname"};
  }
  const bool v4 = address.family() == AF_INET && size >= sizeof(sockaddr_in);
  const bool v6 = address.family() == AF_INET6 && size >= sizeof(sockaddr_in6);
  if (!v4 && !v6) return Failure{EAFNOSUPPORT, "getsockname"};
  address.size_ = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  return address;
}

SocketAddress SocketAddress::WithPort(uint16_t port) const {
  SocketAddress address = *this;
  // Both families have the port at the same place.
  AsV4(&address.storage_)->sin_port = htons(port);
  return address;
}

SocketAddress SocketAddress::AtInterface(uint32_t index) const {
  SocketAddress address = *this;
  sockaddr_in6* v6 = AsV6(&address.storage_);
  if (family() == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) v6->sin6_scope_id = index;
  return address;
}

uint16_t SocketAddress::port() const {
  return ntohs(family() == AF_INET ? AsV4(&storage_)->sin_port : AsV6(&storage_)->sin6_port);
}

std::string SocketAddress::Text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &AsV4(&storage_)->sin_addr, text, sizeof(text));
    return text;
  }
  const sockaddr_in6* v6 = AsV6(&storage_);
  inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
  char zone[IF_NAMESIZE] = "";
  if (v6->sin6_scope_id == 0 || if_indextoname(v6->sin6_scope_id, zone) == nullptr) return text;
  return std::string(text) + '%' + zone;
}

}  // namespace reuseport
