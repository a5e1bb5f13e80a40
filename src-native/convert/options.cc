#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include "convert/sockets.h"
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

// As text of a hexadecimal number, as ss(8) shows it: JavaScript's numbers are too short.
std::string Hexadecimal(uint64_t number) {
  char text[2 * sizeof(number) + 1] = "";
  std::snprintf(text, sizeof(text), "%" PRIx64, number);
  return text;
}

template <typename T>
Napi::Value NumberOrNull(Napi::Env env, const std::optional<T>& number) {
  return number ? Napi::Value(Napi::Number::New(env, *number)) : env.Null();
}

Napi::Object FromSocketRow(Napi::Env env, const SocketRow& from) {
  Napi::Object row = Napi::Object::New(env);
  row.Set("state", from.state);
  row.Set("port", from.port);
  row.Set("address", from.address);
  row.Set("device", from.device);
  row.Set("inode", static_cast<double>(from.inode));
  row.Set("cookie", Hexadecimal(from.cookie));
  row.Set("uid", from.uid);
  row.Set("queued", from.queued);
  row.Set("limit", from.limit);
  row.Set("receiveBuffer", NumberOrNull(env, from.receive_buffer));
  row.Set("drops", NumberOrNull(env, from.drops));
  row.Set("ipv6Only", from.ipv6_only ? Napi::Value(Napi::Boolean::New(env, *from.ipv6_only)) : env.Null());
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

Napi::Value FromHolders(Napi::Env env, const std::vector<Holder>& holders) {
  std::vector<double> pairs;
  for (const Holder& holder : holders) {
    pairs.push_back(holder.pid);
    pairs.push_back(static_cast<double>(holder.inode));
  }
  return FromNumbers(env, pairs);
}

Napi::Value FromInodes(Napi::Env env, const std::set<uint64_t>& inodes) {
  return FromNumbers(env, std::vector<double>(inodes.begin(), inodes.end()));
}

Napi::Value FromConnections(Napi::Env env, const std::vector<SocketRow>& rows) {
  Napi::Array addresses = Napi::Array::New(env);
  std::map<std::string, uint32_t> indexes;
  std::vector<double> numbers;
  for (const SocketRow& row : rows) {
    const auto next = static_cast<uint32_t>(indexes.size());
    const auto [entry, is_new] = indexes.emplace(row.address, next);
    if (is_new) addresses.Set(next, row.address);
    numbers.insert(numbers.end(),
                   {static_cast<double>(row.inode), static_cast<double>(row.port), static_cast<double>(entry->second)});
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("addresses", addresses);
  object.Set("rows", FromNumbers(env, numbers));
  return object;
}

Napi::Value FromSocketRows(Napi::Env env, const std::vector<SocketRow>& rows) {
  Napi::Array array = Napi::Array::New(env, rows.size());
  for (size_t i = 0; i < rows.size(); i++) array.Set(static_cast<uint32_t>(i), FromSocketRow(env, rows[i]));
  return array;
}

Napi::Value FromSocketOptions(Napi::Env env) {
  Napi::Array rows = Napi::Array::New(env);
  for (const SocketOption& option : SocketOptions()) rows.Set(rows.Length(), FromSocketOption(env, option));
  return rows;
}

}  // namespace reuseport
