#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/address.h"
#include "core/result.h"
#include "core/shared_socket.h"

// As convert/values.h, for what opens, binds and closes sockets.
namespace reuseport {

// ({ transport, family, ipv6Only, multipath })
std::optional<SocketRequest> ToSocketRequest(const Napi::CallbackInfo& info);

struct ReuseAddressRequest {
  int fd;
  bool on;
};

// (fd, on)
std::optional<ReuseAddressRequest> ToReuseAddressRequest(const Napi::CallbackInfo& info);

struct BindRequest {
  int fd;
  // Text that is no address is the failure that bind() would be.
  Result<SocketAddress> address;
};

// (fd, family, address, port)
std::optional<BindRequest> ToBindRequest(const Napi::CallbackInfo& info);

struct ListenRequest {
  int fd;
  int backlog;
};

// (fd, backlog)
std::optional<ListenRequest> ToListenRequest(const Napi::CallbackInfo& info);

struct SocketOfProcess {
  int pid;
  uint64_t inode;
};

// (pid, inode)
std::optional<SocketOfProcess> ToSocketOfProcess(const Napi::CallbackInfo& info);

Napi::Value FromAddress(Napi::Env env, const SocketAddress& address);

}  // namespace reuseport
