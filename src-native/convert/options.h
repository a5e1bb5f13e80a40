#pragma once

#include <napi.h>

#include <optional>
#include <string>

#include "core/socket_option.h"

// Requests and results of the calls for socket options (see convert/values.h).
namespace reuseport {

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

Napi::Value FromOptionValue(Napi::Env env, const SocketOption& option, const OptionValue& value);

// The table of options. src/native/addon-contract.ts describes its rows.
Napi::Value FromSocketOptions(Napi::Env env);

}  // namespace reuseport
