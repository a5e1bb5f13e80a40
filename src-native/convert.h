#pragma once

#include <napi.h>

#include <optional>

#include "core/address.h"
#include "core/listener.h"
#include "core/result.h"

// Between JavaScript values and the plain structs of the core. TypeScript has validated every value by then: what does
// not fit is refused with a TypeError, never guessed.
namespace reuseport {

std::optional<int> ToDescriptor(const Napi::CallbackInfo& info);

// Throws and gives nothing where a field is missing or of another type. An address that does not parse is the failure
// that bind() would be.
std::optional<Result<ListenerRequest>> ToListenerRequest(const Napi::CallbackInfo& info);

// { errno, syscall }, with errno negative as libuv and Node count.
Napi::Value FromFailure(Napi::Env env, const Failure& failure);
Napi::Value FromStatus(Napi::Env env, const Status& status);
Napi::Value FromAddress(Napi::Env env, const SocketAddress& address);

}  // namespace reuseport
