#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/shared_socket.h"

// Between JavaScript values and those of C++, one at a time. convert/ reads arguments and makes results, a file for
// each topic. TypeScript has validated every value by then: what does not fit is refused with a TypeError, never
// guessed. Each reader throws, and gives false or nothing, where a value is missing or of another type.
namespace reuseport {

// Throws; gives false.
bool Refuse(Napi::Env env, const char* name, const char* expected);

// A property that could not be read: the getter threw, or a thread is being terminated and runs no more JavaScript.
// Either way there is nothing to add.
bool Read(const Napi::Object& from, const char* name, Napi::Value* out);

bool ToInteger(const Napi::Value& value, const char* name, int64_t low, int64_t high, int64_t* out);
bool ToInt(const Napi::Value& value, const char* name, int64_t low, int64_t high, int* out);
bool ToBoolean(const Napi::Value& value, const char* name, bool* out);
bool ToText(const Napi::Value& value, const char* name, std::string* out);
// A Float64Array.
bool ToNumbers(const Napi::Value& value, const char* name, std::vector<double>* out);

// A Float64Array, or a Uint32Array. Empty in a thread that is being terminated, where none can be made: nothing may be
// written to it then.
Napi::Value FromNumbers(Napi::Env env, const std::vector<double>& numbers);
Napi::Value FromNumbers(Napi::Env env, const std::vector<uint32_t>& numbers);

// The first argument.
bool ToFd(const Napi::CallbackInfo& info, int* out);
std::optional<int> ToDescriptor(const Napi::CallbackInfo& info);

// 4 or 6 to AF_INET or AF_INET6.
bool ToFamily(const Napi::Value& value, int* out);
bool ToTransport(const Napi::Value& value, Transport* out);

// { errno, syscall }, with errno negative as libuv and Node count.
Napi::Value FromFailure(Napi::Env env, const Failure& failure);
Napi::Value FromStatus(Napi::Env env, const Status& status);

}  // namespace reuseport
