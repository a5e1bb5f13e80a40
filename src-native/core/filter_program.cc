#include "core/filter_program.h"

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "core/instruction_set.h"

namespace reuseport {
namespace {

constexpr uint16_t kLoadWord = kLoad | 0x20;              // absolute
constexpr uint16_t kLoadByte = kLoad | 0x30;              // absolute
constexpr uint16_t kLoadHalf = kLoad | 0x28;              // absolute
constexpr uint16_t kLoadLength = kLoad | 0x80;            // of the payload
constexpr uint16_t kLoadHalfAtIndex = kLoad | 0x48;       // at X + k
constexpr uint16_t kIndexFromHeader = kLoadIndex | 0xb0;  // X = 4 * (byte & 15)
constexpr uint16_t kIndexIs = kLoadIndex;                 // X = k
constexpr uint16_t kAdd = kArithmetic;
constexpr uint16_t kShiftRight = kArithmetic | 0x70;
constexpr uint16_t kModulo = kArithmetic | 0x90;
constexpr uint16_t kJumpAlways = kJump;
constexpr uint16_t kJumpIfEqual = kJump | 0x10;
constexpr uint16_t kJumpIfAtLeast = kJump | 0x30;

// SKF_AD_CPU and SKF_AD_RANDOM, which are relative to SKF_AD_OFF, and SKF_NET_OFF.
constexpr uint32_t kCpu = kAncillary + 36;
constexpr uint32_t kRandom = kAncillary + 56;
constexpr uint32_t kNetworkHeader = static_cast<uint32_t>(-0x100000);

constexpr uint32_t kIpv6HeaderSize = 40;
constexpr uint32_t kIpv6NextHeader = 6;

Instruction Do(uint16_t code, uint32_t k = 0) {
  return {code, 0, 0, k};
}

Instruction If(uint16_t code, uint32_t k, uint8_t jump_true, uint8_t jump_false) {
  return {code, jump_true, jump_false, k};
}

// Loads the source port of a TCP packet. Every other packet goes by the hash, and so do IPv6 packets with extension
// headers.
Program LoadSourcePort() {
  constexpr uint32_t kTcp = 6;
  // X is the size of the network header.
  return {
      Do(kLoadByte, kNetworkHeader),
      Do(kShiftRight, 4),
      If(kJumpIfEqual, 4, 4, 0),
      Do(kLoadByte, kNetworkHeader + kIpv6NextHeader),
      If(kJumpIfEqual, kTcp, 0, 4),
      Do(kIndexIs, kIpv6HeaderSize),
      Do(kJumpAlways, 3),
      Do(kIndexFromHeader, kNetworkHeader),
      Do(kJumpAlways, 1),
      Do(kReturn, kByHash),
      Do(kLoadHalfAtIndex, kNetworkHeader),
  };
}

// The kernel takes every program that is built here, unless it is too large. AttachProgram() checks those of users.
Result<Program> WithinBounds(Program program) {
  if (program.size() > kMaxInstructions) return Failure{E2BIG, "program"};
  return program;
}

}  // namespace

Result<Program> UniformProgram(const std::set<uint32_t>& slots) {
  if (slots.empty()) return Failure{EINVAL, "program"};
  Program program = {Do(kLoadWord, kRandom), Do(kModulo, static_cast<uint32_t>(slots.size()))};
  // The n-th slot is n plus the number of slots below it that are left out. That number changes only at a gap.
  uint32_t added = 0;
  uint32_t next = 0;
  for (const uint32_t slot : slots) {
    const uint32_t n = next++;
    const uint32_t left_out = slot - n;
    if (left_out == added) continue;
    // Below this number the accumulator already is the slot.
    program.push_back(If(kJumpIfAtLeast, n + added, 1, 0));
    program.push_back(Do(kReturnAccumulator));
    program.push_back(Do(kAdd, left_out - added));
    added = left_out;
  }
  program.push_back(Do(kReturnAccumulator));
  return WithinBounds(std::move(program));
}

Result<Program> WeightedProgram(const std::vector<Share>& shares) {
  double total = 0;
  for (const Share& share : shares) {
    if (!(share.weight >= 0) || std::isinf(share.weight)) return Failure{EINVAL, "program"};
    total += share.weight;
  }
  if (!(total > 0) || std::isinf(total)) return Failure{EINVAL, "program"};
  const auto last = std::find_if(shares.rbegin(), shares.rend(), [](const Share& share) { return share.weight > 0; });
  Program program = {Do(kLoadWord, kRandom)};
  double below = 0;
  for (const Share& share : shares) {
    if (share.weight == 0) continue;
    if (&share == &*last) break;
    below += share.weight;
    // Rounded by the conversion below, because std::round() would need the library of mathematics.
    const double bound = std::min(below / total * 4294967296.0 + 0.5, 4294967295.0);
    program.push_back(If(kJumpIfAtLeast, static_cast<uint32_t>(bound), 1, 0));
    program.push_back(Do(kReturn, share.slot));
  }
  program.push_back(Do(kReturn, last->slot));
  return WithinBounds(std::move(program));
}

Result<Program> CpuProgram(uint32_t count) {
  if (count == 0) return Failure{EINVAL, "program"};
  return WithinBounds({Do(kLoadWord, kCpu), Do(kModulo, count), Do(kReturnAccumulator)});
}

Result<Program> ProbeProgram(const std::vector<ProbePort>& ports) {
  Program program = LoadSourcePort();
  for (const ProbePort& port : ports) {
    program.push_back(If(kJumpIfEqual, port.port, 0, 1));
    program.push_back(Do(kReturn, port.slot));
  }
  program.push_back(Do(kReturn, kByHash));
  return WithinBounds(std::move(program));
}

Result<Program> PayloadProgram(const std::vector<uint16_t>& ports) {
  Program program = LoadSourcePort();
  for (size_t i = 0; i < ports.size(); i++) {
    // To the payload, over the other ports and the hash.
    program.push_back(If(kJumpIfEqual, ports[i], static_cast<uint8_t>(ports.size() - i), 0));
  }
  program.push_back(Do(kReturn, kByHash));
  // A load beyond the end of the packet would choose slot 0.
  program.push_back(Do(kLoadLength));
  program.push_back(If(kJumpIfAtLeast, 2, 1, 0));
  program.push_back(Do(kReturn, kByHash));
  program.push_back(Do(kLoadHalf, 0));
  program.push_back(Do(kReturnAccumulator));
  return WithinBounds(std::move(program));
}

}  // namespace reuseport
