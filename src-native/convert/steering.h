#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "core/address.h"
#include "core/filter_program.h"
#include "core/result.h"
#include "core/steering.h"

// Requests and results of the calls that steer a group (see convert/values.h).
namespace reuseport {

enum class ProgramKind { kUniform, kWeighted, kCpu };

struct ProgramRequest {
  ProgramKind kind;
  std::vector<Share> shares;
};

// (kind, slots, weights): two Float64Arrays of the same length.
std::optional<ProgramRequest> ToProgramRequest(const Napi::CallbackInfo& info);

// A Uint32Array with four numbers for each instruction: code, jump if true, jump if false, k.
std::optional<Program> ToProgram(const Napi::Value& value);
Napi::Value FromProgram(Napi::Env env, const Program& program);

struct SlotRequest {
  std::vector<int> listeners;
  // For a text that is not an address: the failure EINVAL.
  Result<SocketAddress> target;
  uint32_t members;
  int device;
};

// (listeners, family, address, port, members, device): a Float64Array of descriptors, the address at which the group is
// reached, the number of its members, and the interface that they are bound to (0 for none).
std::optional<SlotRequest> ToSlotRequest(const Napi::CallbackInfo& info);
Napi::Value FromSlots(Napi::Env env, const std::vector<int>& slots);

// One number: the connections that wait, plus 2^32 times the limit, which is cut to 21 bits so that the number is
// exact.
Napi::Value FromAcceptQueue(Napi::Env env, const AcceptQueue& queue);

struct FamilyRequest {
  int fd;
  int family;
};

// (fd, family)
std::optional<FamilyRequest> ToFamilyRequest(const Napi::CallbackInfo& info);

// One number: the minimum TTL of IPv4, plus 256 times the minimum hop count of IPv6.
std::optional<MinTtls> ToMinTtls(const Napi::Value& value);
Napi::Value FromMinTtls(Napi::Env env, const MinTtls& ttls);

struct LeaveRequest {
  int fd;
  int family;
  bool detach;
};

// (fd, family, detach)
std::optional<LeaveRequest> ToLeaveRequest(const Napi::CallbackInfo& info);

}  // namespace reuseport
