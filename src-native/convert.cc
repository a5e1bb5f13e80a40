#include "convert.h"

#include <cstdint>
#include <string>

namespace reuseport {
namespace {

bool Refuse(Napi::Env env, const char* name, const char* expected) {
  Napi::TypeError::New(env, std::string("reuseport addon: ") + name + " must be " + expected)
      .ThrowAsJavaScriptException();
  return false;
}

// A property that could not be read: the getter threw, or a thread is being terminated and runs no more JavaScript.
// Either way there is nothing to add.
bool Read(const Napi::Object& from, const char* name, Napi::Value* out) {
  *out = from.Get(name);
  return !out->IsEmpty();
}

bool ToInteger(Napi::Env env, const Napi::Value& value, const char* name, int64_t low, int64_t high, int64_t* out) {
  if (!value.IsNumber()) return Refuse(env, name, "a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  // Also refuses NaN, which compares false with everything.
  if (!(number >= static_cast<double>(low) && number <= static_cast<double>(high)))
    return Refuse(env, name, "in range");
  *out = static_cast<int64_t>(number);
  return static_cast<double>(*out) == number || Refuse(env, name, "an integer");
}

bool ReadInteger(const Napi::Object& from, const char* name, int64_t low, int64_t high, int64_t* out) {
  Napi::Value value;
  return Read(from, name, &value) && ToInteger(from.Env(), value, name, low, high, out);
}

bool ReadBoolean(const Napi::Object& from, const char* name, bool* out) {
  Napi::Value value;
  if (!Read(from, name, &value)) return false;
  if (!value.IsBoolean()) return Refuse(from.Env(), name, "a boolean");
  *out = value.As<Napi::Boolean>().Value();
  return true;
}

bool ReadString(const Napi::Object& from, const char* name, std::string* out) {
  Napi::Value value;
  if (!Read(from, name, &value)) return false;
  if (!value.IsString()) return Refuse(from.Env(), name, "a string");
  *out = value.As<Napi::String>().Utf8Value();
  return true;
}

}  // namespace

std::optional<int> ToDescriptor(const Napi::CallbackInfo& info) {
  int64_t fd = 0;
  // info[0] is undefined where there is no argument.
  if (!ToInteger(info.Env(), info[0], "fd", 0, INT32_MAX, &fd)) return std::nullopt;
  return static_cast<int>(fd);
}

std::optional<Result<ListenerRequest>> ToListenerRequest(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsObject()) {
    Refuse(info.Env(), "request", "an object");
    return std::nullopt;
  }
  const Napi::Object from = info[0].As<Napi::Object>();
  int64_t family = 0;
  int64_t port = 0;
  int64_t backlog = 0;
  std::string text;
  bool ipv6_only = false;
  const bool read = ReadInteger(from, "family", 4, 6, &family) && ReadString(from, "address", &text) &&
                    ReadInteger(from, "port", 0, UINT16_MAX, &port) && ReadBoolean(from, "ipv6Only", &ipv6_only) &&
                    ReadInteger(from, "backlog", 0, INT32_MAX, &backlog);
  if (!read) return std::nullopt;
  if (family == 5) {
    Refuse(info.Env(), "family", "4 or 6");
    return std::nullopt;
  }

  Result<SocketAddress> address =
      SocketAddress::Parse(family == 4 ? AF_INET : AF_INET6, text, static_cast<uint16_t>(port));
  if (!address.ok()) return Result<ListenerRequest>(address.failure());
  return Result<ListenerRequest>(ListenerRequest{address.value(), ipv6_only, static_cast<int>(backlog)});
}

Napi::Value FromFailure(Napi::Env env, const Failure& failure) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("errno", -failure.error);
  object.Set("syscall", failure.call);
  return object;
}

Napi::Value FromStatus(Napi::Env env, const Status& status) {
  return status.ok() ? env.Undefined() : FromFailure(env, status.failure());
}

Napi::Value FromAddress(Napi::Env env, const SocketAddress& address) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("address", address.Text());
  object.Set("family", address.family() == AF_INET ? "IPv4" : "IPv6");
  object.Set("port", address.port());
  return object;
}

}  // namespace reuseport
