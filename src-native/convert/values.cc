#include "convert/values.h"

#include <cstring>

namespace reuseport {
namespace {

// Uses Node-API directly: the classes of node-addon-api do not report that an array has no memory behind it.
template <typename T>
Napi::Value FromList(Napi::Env env, const std::vector<T>& list, napi_typedarray_type type) {
  const size_t size = list.size() * sizeof(T);
  void* data = nullptr;
  napi_value buffer = nullptr;
  napi_value array = nullptr;
  if (napi_create_arraybuffer(env, size, &data, &buffer) != napi_ok) return {};
  if (napi_create_typedarray(env, type, list.size(), buffer, 0, &array) != napi_ok) return {};
  if (size != 0) std::memcpy(data, list.data(), size);
  return {env, array};
}

}  // namespace

bool Refuse(Napi::Env env, const char* name, const char* expected) {
  Napi::TypeError::New(env, std::string("reuseport addon: ") + name + " must be " + expected)
      .ThrowAsJavaScriptException();
  return false;
}

bool Read(const Napi::Object& from, const char* name, Napi::Value* out) {
  *out = from.Get(name);
  return !out->IsEmpty();
}

bool ToInteger(const Napi::Value& value, const char* name, int64_t low, int64_t high, int64_t* out) {
  if (!value.IsNumber()) return Refuse(value.Env(), name, "a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  // Written so that NaN is refused as well: every comparison with NaN is false.
  if (!(number >= static_cast<double>(low) && number <= static_cast<double>(high)))
    return Refuse(value.Env(), name, "in range");
  *out = static_cast<int64_t>(number);
  return static_cast<double>(*out) == number || Refuse(value.Env(), name, "an integer");
}

bool ToInt(const Napi::Value& value, const char* name, int64_t low, int64_t high, int* out) {
  int64_t number = 0;
  if (!ToInteger(value, name, low, high, &number)) return false;
  *out = static_cast<int>(number);
  return true;
}

bool ToBoolean(const Napi::Value& value, const char* name, bool* out) {
  if (!value.IsBoolean()) return Refuse(value.Env(), name, "a boolean");
  *out = value.As<Napi::Boolean>().Value();
  return true;
}

bool ToText(const Napi::Value& value, const char* name, std::string* out) {
  if (!value.IsString()) return Refuse(value.Env(), name, "a string");
  *out = value.As<Napi::String>().Utf8Value();
  return true;
}

bool ToFd(const Napi::CallbackInfo& info, int* out) {
  // For a missing argument info[0] is undefined, which ToInt refuses.
  return ToInt(info[0], "fd", 0, INT32_MAX, out);
}

std::optional<int> ToDescriptor(const Napi::CallbackInfo& info) {
  int fd = 0;
  if (!ToFd(info, &fd)) return std::nullopt;
  return fd;
}

std::optional<int> ToPid(const Napi::Value& value) {
  int pid = 0;
  if (!ToInt(value, "pid", 1, INT32_MAX, &pid)) return std::nullopt;
  return pid;
}

bool ToFamily(const Napi::Value& value, int* out) {
  int family = 0;
  if (!ToInt(value, "family", 4, 6, &family)) return false;
  if (family == 5) return Refuse(value.Env(), "family", "4 or 6");
  *out = family == 4 ? AF_INET : AF_INET6;
  return true;
}

bool ToTransport(const Napi::Value& value, Transport* out) {
  std::string name;
  if (!ToText(value, "transport", &name)) return false;
  if (name != "tcp" && name != "udp") return Refuse(value.Env(), "transport", "'tcp' or 'udp'");
  *out = name == "tcp" ? Transport::kTcp : Transport::kUdp;
  return true;
}

bool ToNumbers(const Napi::Value& value, const char* name, std::vector<double>* out) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
    return Refuse(value.Env(), name, "a Float64Array");
  }
  const Napi::Float64Array numbers = value.As<Napi::Float64Array>();
  for (size_t i = 0; i < numbers.ElementLength(); i++) out->push_back(numbers[i]);
  return true;
}

Napi::Value FromNumbers(Napi::Env env, const std::vector<double>& numbers) {
  return FromList(env, numbers, napi_float64_array);
}

Napi::Value FromNumbers(Napi::Env env, const std::vector<uint32_t>& numbers) {
  return FromList(env, numbers, napi_uint32_array);
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

}  // namespace reuseport
