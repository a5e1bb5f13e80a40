#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "core/socket_dump.h"
#include "core/socket_holders.h"

// Requests and results of the calls that list sockets and the processes that hold them (see convert/values.h).
namespace reuseport {

// ({ transport, family, states, port })
std::optional<DumpRequest> ToDumpRequest(const Napi::CallbackInfo& info);

// A Float64Array: the inode numbers of sockets.
std::optional<std::set<uint64_t>> ToInodes(const Napi::Value& value);

// A Float64Array in which pids and inodes alternate.
Napi::Value FromHolders(Napi::Env env, const std::vector<Holder>& holders);
Napi::Value FromInodes(Napi::Env env, const std::set<uint64_t>& inodes);
Napi::Value FromSocketRows(Napi::Env env, const std::vector<SocketRow>& rows);

// { addresses, rows }. `rows` has three numbers for each connection: inode, port, and index of its local address in
// `addresses`. Compact, because there may be many connections.
Napi::Value FromConnections(Napi::Env env, const std::vector<SocketRow>& rows);

// One text for each connection, from its local address and its peer: equal texts mean the same connection.
Napi::Value FromPeers(Napi::Env env, const std::vector<SocketRow>& rows);

}  // namespace reuseport
