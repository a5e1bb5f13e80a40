#include "convert/inspection.h"

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "addon/state.h"
#include "convert/values.h"
#include "core/socket_dump.h"
#include "core/socket_holders.h"

namespace reuseport {
namespace {

Napi::Value DumpSocketsCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<DumpRequest> request = ToDumpRequest(info);
  if (!request) return env.Undefined();
  Result<std::vector<SocketRow>> rows = DumpSockets(StateOf(env).sys, *request);
  return rows.ok() ? FromSocketRows(env, rows.value()) : FromFailure(env, rows.failure());
}

Napi::Value DumpConnectionsCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<DumpRequest> request = ToDumpRequest(info);
  if (!request) return env.Undefined();
  Result<std::vector<SocketRow>> rows = DumpSockets(StateOf(env).sys, *request);
  return rows.ok() ? FromConnections(env, rows.value()) : FromFailure(env, rows.failure());
}

Napi::Value DumpHandshakesCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<DumpRequest> request = ToDumpRequest(info);
  if (!request) return env.Undefined();
  Result<std::vector<SocketRow>> rows = DumpSockets(StateOf(env).sys, *request);
  return rows.ok() ? FromPeers(env, rows.value()) : FromFailure(env, rows.failure());
}

Napi::Value FindHoldersCall(const Napi::CallbackInfo& info) {
  std::optional<std::set<uint64_t>> inodes = ToInodes(info[0]);
  if (!inodes) return info.Env().Undefined();
  const std::optional<std::set<uint64_t>> except = info[1].IsUndefined() ? std::set<uint64_t>{} : ToInodes(info[1]);
  if (!except) return info.Env().Undefined();
  return FromHolders(info.Env(), FindHolders(std::move(*inodes), *except));
}

Napi::Value HeldByCall(const Napi::CallbackInfo& info) {
  const std::optional<int> pid = ToPid(info[0]);
  if (!pid) return info.Env().Undefined();
  const std::optional<std::set<uint64_t>> inodes = ToInodes(info[1]);
  if (!inodes) return info.Env().Undefined();
  return FromInodes(info.Env(), HeldBy(*pid, *inodes));
}

constexpr Export kExports[] = {
    {"dumpSockets", DumpSocketsCall},
    {"dumpConnections", DumpConnectionsCall},
    {"dumpHandshakes", DumpHandshakesCall},
    {"findHolders", FindHoldersCall},
    {"heldBy", HeldByCall},
};

}  // namespace

void InitInspection(Napi::Env env, Napi::Object exports) {
  Add(env, exports, kExports);
}

}  // namespace reuseport
