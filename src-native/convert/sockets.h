#pragma once

#include <napi.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/result.h"
#include "core/shared_socket.h"
#include "core/socket_dump.h"
#include "core/socket_holders.h"
#include "core/socket_option.h"

// Between JavaScript values and the plain structs of the core. TypeScript has validated every value by then: what does
// not fit is refused with a TypeError, never guessed. Each reader of arguments throws and gives nothing where one is
// missing or of another type.
namespace reuseport {

std::optional<int> ToDescriptor(const Napi::CallbackInfo& info);

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

struct OptionRequest {
  int fd;
  int family;
  const SocketOption& option;
};

// (fd, family, name[, value])
std::optional<OptionRequest> ToOptionRequest(const Napi::CallbackInfo& info);
std::optional<OptionValue> ToOptionValue(const Napi::CallbackInfo& info, const SocketOption& option);

struct RawOptionRequest {
  int fd;
  int level;
  int name;
  std::string bytes;
};

// (fd, level, name, number | Uint8Array)
std::optional<RawOptionRequest> ToRawOptionRequest(const Napi::CallbackInfo& info);

// ({ transport, family, states, port })
std::optional<DumpRequest> ToDumpRequest(const Napi::CallbackInfo& info);

struct LockRequest {
  std::string name;
  int timeout_ms;
};

// (name, timeout)
std::optional<LockRequest> ToLockRequest(const Napi::CallbackInfo& info);

// (name)
std::optional<std::string> ToLockName(const Napi::CallbackInfo& info);

// A Float64Array: numbers of sockets.
std::optional<std::set<uint64_t>> ToInodes(const Napi::Value& value);
std::optional<int> ToPid(const Napi::Value& value);

// { errno, syscall }, with errno negative as libuv and Node count.
Napi::Value FromFailure(Napi::Env env, const Failure& failure);
Napi::Value FromStatus(Napi::Env env, const Status& status);
Napi::Value FromAddress(Napi::Env env, const SocketAddress& address);
Napi::Value FromOptionValue(Napi::Env env, const SocketOption& option, const OptionValue& value);

// A Float64Array of pid and inode by turns.
Napi::Value FromHolders(Napi::Env env, const std::vector<Holder>& holders);
Napi::Value FromInodes(Napi::Env env, const std::set<uint64_t>& inodes);
Napi::Value FromSocketRows(Napi::Env env, const std::vector<SocketRow>& rows);

// { addresses, rows }, with inode, port and index of the address by turns in `rows`: there may be many.
Napi::Value FromConnections(Napi::Env env, const std::vector<SocketRow>& rows);

// The table, as src/native/addon-contract.ts describes its rows.
Napi::Value FromSocketOptions(Napi::Env env);

}  // namespace reuseport
