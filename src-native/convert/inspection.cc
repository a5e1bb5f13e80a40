#include "convert/inspection.h"

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include "convert/values.h"

namespace reuseport {
namespace {

// A cookie has 64 bits, more than a JavaScript number holds exactly. Hexadecimal, as ss(8) shows it.
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

std::optional<DumpRequest> ToDumpRequest(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) {
    Refuse(info.Env(), "request", "an object");
    return std::nullopt;
  }
  const Napi::Object from = info[0].As<Napi::Object>();
  DumpRequest request{};
  Napi::Value value;
  int64_t states = 0;
  int port = 0;
  const bool read = Read(from, "transport", &value) && ToTransport(value, &request.transport) &&
                    Read(from, "family", &value) && ToFamily(value, &request.family) && Read(from, "states", &value) &&
                    ToInteger(value, "states", 0, UINT32_MAX, &states) && Read(from, "port", &value) &&
                    ToInt(value, "port", 0, UINT16_MAX, &port);
  if (!read) return std::nullopt;
  request.states = static_cast<uint32_t>(states);
  request.port = static_cast<uint16_t>(port);
  return request;
}

std::optional<std::set<uint64_t>> ToInodes(const Napi::Value& value) {
  std::vector<double> numbers;
  if (!ToNumbers(value, "inodes", &numbers)) return std::nullopt;
  std::set<uint64_t> inodes;
  for (const double number : numbers) {
    // The largest integer that a double holds exactly. No socket has an inode number as large as this.
    if (number >= 0 && number <= 9007199254740991.0) inodes.insert(static_cast<uint64_t>(number));
  }
  return inodes;
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

Napi::Value FromSocketRows(Napi::Env env, const std::vector<SocketRow>& rows) {
  Napi::Array array = Napi::Array::New(env, rows.size());
  for (size_t i = 0; i < rows.size(); i++) array.Set(static_cast<uint32_t>(i), FromSocketRow(env, rows[i]));
  return array;
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

Napi::Value FromPeers(Napi::Env env, const std::vector<SocketRow>& rows) {
  Napi::Array peers = Napi::Array::New(env, rows.size());
  for (size_t i = 0; i < rows.size(); i++) {
    const SocketRow& row = rows[i];
    peers.Set(static_cast<uint32_t>(i), std::to_string(row.port) + " " + row.address + " " + row.peer);
  }
  return peers;
}

}  // namespace reuseport
