#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/address.h"
#include "core/owned_descriptors.h"
#include "core/result.h"
#include "core/shared_socket.h"

// Requests and results of the calls that open, bind and take sockets (see convert/values.h).
namespace reuseport {

// ({ transport, family, ipv6Only, multipath })
std::optional<SocketRequest> ToSocketRequest(const Napi::CallbackInfo& info);

struct ReserveRequest {
  SocketRequest socket;
  // For a text that is not an address: the failure EINVAL of bind().
  Result<SocketAddress> address;
};

// ({ transport, family, ipv6Only, multipath }, address)
std::optional<ReserveRequest> ToReserveRequest(const Napi::CallbackInfo& info);

struct ReuseAddressRequest {
  int fd;
  bool on;
};

// (fd, on)
std::optional<ReuseAddressRequest> ToReuseAddressRequest(const Napi::CallbackInfo& info);

struct BindRequest {
  int fd;
  // For a text that is not an address: the failure EINVAL of bind().
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

struct ClaimedDescriptor {
  int fd;
  Claim claim;
};

// (fd, claim?)
std::optional<ClaimedDescriptor> ToClaimedDescriptor(const Napi::CallbackInfo& info);

Napi::Value FromAddress(Napi::Env env, const SocketAddress& address);

}  // namespace reuseport
