#include "convert/options.h"

#include <cstdint>
#include <string>

#include "convert/values.h"
#include "core/system_names.h"

namespace reuseport {
namespace {

const char* KindOf(Wire wire) {
  switch (wire) {
    case Wire::kFlag:
    case Wire::kOctetFlag:
    case Wire::kProtocol:
      return "boolean";
    case Wire::kText:
    case Wire::kAcceptFilter:
      return "text";
    case Wire::kLinger:
      return "time or false";
    case Wire::kInteger:
    case Wire::kOctet:
      break;
  }
  return "integer";
}

const char* NameOf(Stage stage) {
  switch (stage) {
    case Stage::kCreation:
      return "creation";
    case Stage::kBeforeBind:
      return "before-bind";
    case Stage::kBeforeListen:
      return "before-listen";
    case Stage::kAfterListen:
      break;
  }
  return "after-listen";
}

Napi::Value TextOrNull(Napi::Env env, const char* text) {
  return text == nullptr ? env.Null() : Napi::Value(Napi::String::New(env, text));
}

Napi::Value FromKernelOption(Napi::Env env, const KernelOption& kernel) {
  if (kernel.name == kAbsent) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("level", kernel.level);
  object.Set("name", kernel.name);
  return object;
}

Napi::Object FromSocketOption(Napi::Env env, const SocketOption& option) {
  Napi::Object row = Napi::Object::New(env);
  row.Set("name", option.name);
  row.Set("kind", KindOf(option.wire));
  row.Set("unit", TextOrNull(env, option.unit));
  row.Set("minimum", static_cast<double>(option.minimum));
  row.Set("maximum", static_cast<double>(option.maximum));
  row.Set("stage", NameOf(option.stage));
  row.Set("tcp", option.tcp);
  row.Set("udp", option.udp);
  row.Set("ipv4", FromKernelOption(env, option.ipv4));
  row.Set("ipv6", FromKernelOption(env, option.ipv6));
  row.Set("inherited", option.inherited);
  row.Set("capability", TextOrNull(env, option.capability));
  row.Set("systems", option.systems);
  row.Set("manual", TextOrNull(env, option.manual));
  row.Set("about", TextOrNull(env, option.about));
  return row;
}

}  // namespace

std::optional<OptionRequest> ToOptionRequest(const Napi::CallbackInfo& info) {
  int fd = 0;
  int family = 0;
  std::string name;
  if (!ToFd(info, &fd) || !ToFamily(info[1], &family) || !ToText(info[2], "name", &name)) return std::nullopt;
  const SocketOption* option = FindSocketOption(name);
  if (option == nullptr) {
    Refuse(info.Env(), "name", "in the table of options");
    return std::nullopt;
  }
  return OptionRequest{fd, family, *option};
}

std::optional<OptionValue> ToOptionValue(const Napi::CallbackInfo& info, const SocketOption& option) {
  OptionValue value;
  if (!IsText(option.wire)) {
    // -1 turns SO_LINGER off.
    const int64_t minimum = option.wire == Wire::kLinger ? -1 : option.minimum;
    if (!ToInteger(info[3], option.name, minimum, option.maximum, &value.number)) return std::nullopt;
    return value;
  }
  if (!ToText(info[3], option.name, &value.text)) return std::nullopt;
  const int64_t length = static_cast<int64_t>(value.text.size());
  if (length < option.minimum || length > option.maximum || value.text.find('\0') != std::string::npos) {
    Refuse(info.Env(), option.name, "a text of an allowed length, without a NUL");
    return std::nullopt;
  }
  return value;
}

std::optional<RawOptionRequest> ToRawOptionRequest(const Napi::CallbackInfo& info) {
  RawOptionRequest request{};
  const bool read = ToFd(info, &request.fd) && ToInt(info[1], "level", 0, INT32_MAX, &request.level) &&
                    ToInt(info[2], "name", 0, INT32_MAX, &request.name);
  if (!read) return std::nullopt;

  const Napi::Value value = info[3];
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
    const Napi::Uint8Array bytes = value.As<Napi::Uint8Array>();
    request.bytes.assign(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength());
    return request;
  }
  int64_t number = 0;
  if (!ToInteger(value, "value", INT32_MIN, UINT32_MAX, &number)) return std::nullopt;
  const auto word = static_cast<uint32_t>(number);
  request.bytes.assign(reinterpret_cast<const char*>(&word), sizeof(word));
  return request;
}

Napi::Value FromOptionValue(Napi::Env env, const SocketOption& option, const OptionValue& value) {
  if (IsText(option.wire)) return Napi::String::New(env, value.text);
  return Napi::Number::New(env, static_cast<double>(value.number));
}

Napi::Value FromSocketOptions(Napi::Env env) {
  Napi::Array rows = Napi::Array::New(env);
  for (const SocketOption& option : SocketOptions()) rows.Set(rows.Length(), FromSocketOption(env, option));
  return rows;
}

}  // namespace reuseport
