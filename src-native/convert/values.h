#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/shared_socket.h"

// Converts single values between JavaScript and C++; the other files of convert/ do the same for the requests and the
// results of their topic. TypeScript has validated every value before. A reader refuses a value that is missing, of
// another type or out of range: it throws a TypeError and returns false or nullopt. Readers never guess.
namespace reuseport {

// Throws the TypeError "<name> must be <expected>"; always returns false.
bool Refuse(Napi::Env env, const char* name, const char* expected);

// Reads a property. False if the getter threw, or if the thread is being terminated and runs no more JavaScript: an
// exception is already pending then, or none can be thrown, so this function throws none.
bool Read(const Napi::Object& from, const char* name, Napi::Value* out);

bool ToInteger(const Napi::Value& value, const char* name, int64_t low, int64_t high, int64_t* out);
bool ToInt(const Napi::Value& value, const char* name, int64_t low, int64_t high, int* out);
bool ToBoolean(const Napi::Value& value, const char* name, bool* out);
bool ToText(const Napi::Value& value, const char* name, std::string* out);
// A Float64Array.
bool ToNumbers(const Napi::Value& value, const char* name, std::vector<double>* out);

// A Float64Array, or a Uint32Array. In a thread that is being terminated no array can be made: the returned value is
// then empty, and must not be used as an object.
Napi::Value FromNumbers(Napi::Env env, const std::vector<double>& numbers);
Napi::Value FromNumbers(Napi::Env env, const std::vector<uint32_t>& numbers);

// Read the first argument.
bool ToFd(const Napi::CallbackInfo& info, int* out);
std::optional<int> ToDescriptor(const Napi::CallbackInfo& info);

std::optional<int> ToPid(const Napi::Value& value);

// Turns 4 into AF_INET and 6 into AF_INET6.
bool ToFamily(const Napi::Value& value, int* out);
bool ToTransport(const Napi::Value& value, Transport* out);

// { errno, syscall }, with a negative errno, as in libuv and Node.
Napi::Value FromFailure(Napi::Env env, const Failure& failure);
Napi::Value FromStatus(Napi::Env env, const Status& status);

}  // namespace reuseport
