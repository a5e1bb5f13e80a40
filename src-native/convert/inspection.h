#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "core/socket_dump.h"
#include "core/socket_holders.h"

// As convert/values.h, for the sockets of this machine and the processes that hold them.
namespace reuseport {

// ({ transport, family, states, port })
std::optional<DumpRequest> ToDumpRequest(const Napi::CallbackInfo& info);

// A Float64Array: numbers of sockets.
std::optional<std::set<uint64_t>> ToInodes(const Napi::Value& value);
std::optional<int> ToPid(const Napi::Value& value);

// A Float64Array of pid and inode by turns.
Napi::Value FromHolders(Napi::Env env, const std::vector<Holder>& holders);
Napi::Value FromInodes(Napi::Env env, const std::set<uint64_t>& inodes);
Napi::Value FromSocketRows(Napi::Env env, const std::vector<SocketRow>& rows);

// { addresses, rows }, with inode, port and index of the address by turns in `rows`: there may be many.
Napi::Value FromConnections(Napi::Env env, const std::vector<SocketRow>& rows);

// The peers of connections, as text that is equal for equal ones.
Napi::Value FromPeers(Napi::Env env, const std::vector<SocketRow>& rows);

}  // namespace reuseport
