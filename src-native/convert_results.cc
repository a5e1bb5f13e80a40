#include <cstdint>
#include <string>

#include "convert.h"
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
  row.Set("manual", option.manual);
  row.Set("about", option.about);
  return row;
}

}  // namespace

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
