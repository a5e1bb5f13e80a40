#include "core/filter_program.h"

#include <algorithm>
#include <cerrno>
#include <cmath>

namespace reuseport {
namespace {

// The instruction set, as linux/bpf_common.h has it; the same numbers wherever there is classic BPF.
constexpr uint16_t kLoad = 0x00;
constexpr uint16_t kLoadIndex = 0x01;
constexpr uint16_t kStore = 0x02;
constexpr uint16_t kStoreIndex = 0x03;
constexpr uint16_t kArithmetic = 0x04;
constexpr uint16_t kJump = 0x05;
constexpr uint16_t kReturn = 0x06;
constexpr uint16_t kMisc = 0x07;
constexpr uint16_t kClass = 0x07;

constexpr uint16_t kLoadWord = kLoad | 0x20;              // absolute
constexpr uint16_t kLoadByte = kLoad | 0x30;              // absolute
constexpr uint16_t kLoadHalfAtIndex = kLoad | 0x48;       // at X + k
constexpr uint16_t kIndexFromHeader = kLoadIndex | 0xb0;  // X = 4 * (byte & 15)
constexpr uint16_t kIndexIs = kLoadIndex;                 // X = k
constexpr uint16_t kAdd = kArithmetic;
constexpr uint16_t kShiftRight = kArithmetic | 0x70;
constexpr uint16_t kModulo = kArithmetic | 0x90;
constexpr uint16_t kJumpAlways = kJump;
constexpr uint16_t kJumpIfEqual = kJump | 0x10;
constexpr uint16_t kJumpIfAtLeast = kJump | 0x30;
constexpr uint16_t kReturnAccumulator = kReturn | 0x10;

// Where loads find what is not in the payload: SKF_AD_OFF and SKF_NET_OFF (linux/filter.h), negative there.
constexpr uint32_t kAncillary = static_cast<uint32_t>(-0x1000);
constexpr uint32_t kCpu = kAncillary + 36;
constexpr uint32_t kRandom = kAncillary + 56;
constexpr uint32_t kNetworkHeader = static_cast<uint32_t>(-0x100000);

constexpr uint32_t kIpv6HeaderSize = 40;
constexpr uint32_t kIpv6NextHeader = 6;

constexpr uint32_t kMemoryWords = 16;

Instruction Do(uint16_t code, uint32_t k = 0) {
  return {code, 0, 0, k};
}

Instruction If(uint16_t code, uint32_t k, uint8_t jump_true, uint8_t jump_false) {
  return {code, jump_true, jump_false, k};
}

Result<Program> Checked(Program program) {
  Status checked = CheckProgram(program);
  if (!checked.ok()) return checked.failure();
  return program;
}

// At 4, 8 ... 60: what Linux has had since 4.4.
bool IsAncillary(uint32_t offset) {
  return offset % 4 == 0 && offset <= 60;
}

bool IsLoad(uint16_t code, uint32_t k) {
  switch (code & ~kClass) {
    case 0x20:
    case 0x28:
    case 0x30:
      return k < kAncillary || IsAncillary(k - kAncillary);
    case 0x00:  // immediate
    case 0x80:  // length of the packet
    case 0x40:
    case 0x48:
    case 0x50:
    case 0x60:  // memory
      return true;
    default:
      return false;
  }
}

bool IsLoadIndex(uint16_t code) {
  switch (code & ~kClass) {
    case 0x00:
    case 0x60:
    case 0x80:
    case 0xb0:
      return true;
    default:
      return false;
  }
}

bool IsArithmetic(const Instruction& instruction) {
  const uint16_t operation = instruction.code & 0xf0;
  const bool by_index = (instruction.code & 0x08) != 0;
  if (operation == 0x80) return !by_index;  // negation
  if (operation > 0xa0) return false;       // the last is xor
  if (by_index) return true;
  if (operation == 0x30 || operation == 0x90) return instruction.k != 0;  // division, remainder
  if (operation == 0x60 || operation == 0x70) return instruction.k < 32;  // shifts
  return true;
}

// `left`: how many instructions follow.
bool IsJump(const Instruction& instruction, size_t left) {
  switch (instruction.code & 0xf0) {
    case 0x00:
      return (instruction.code & 0x08) == 0 && instruction.k < left;
    case 0x10:
    case 0x20:
    case 0x30:
    case 0x40:
      return instruction.jump_true < left && instruction.jump_false < left;
    default:
      return false;
  }
}

bool UsesMemory(uint16_t code) {
  const uint16_t kind = code & kClass;
  return kind == kStore || kind == kStoreIndex || ((kind == kLoad || kind == kLoadIndex) && (code & ~kClass) == 0x60);
}

bool IsKnown(const Instruction& instruction, size_t left) {
  const uint16_t code = instruction.code;
  if (code > 0xff) return false;
  if (UsesMemory(code) && instruction.k >= kMemoryWords) return false;
  switch (code & kClass) {
    case kLoad:
      return IsLoad(code, instruction.k);
    case kLoadIndex:
      return IsLoadIndex(code);
    case kStore:
    case kStoreIndex:
      return (code & ~kClass) == 0;
    case kArithmetic:
      return IsArithmetic(instruction);
    case kJump:
      return IsJump(instruction, left);
    case kReturn:
      return code == kReturn || code == kReturnAccumulator;
    default:
      return code == kMisc || code == (kMisc | 0x80);  // X = A, A = X
  }
}

// Whether no instruction loads a word of memory that nothing was stored in on some way to it. Jumps go forward only, so
// one pass sees them all. Each instruction has to be one that is known.
bool LoadsWhatWasStored(const Program& program) {
  constexpr uint32_t kAll = (1U << kMemoryWords) - 1;
  std::vector<uint32_t> stored_before(program.size(), kAll);
  uint32_t stored = 0;
  for (size_t i = 0; i < program.size(); i++) {
    const Instruction& at = program[i];
    const uint16_t kind = at.code & kClass;
    stored &= stored_before[i];
    if (kind == kStore || kind == kStoreIndex) {
      stored |= 1U << at.k;
    } else if (UsesMemory(at.code) && (stored & 1U << at.k) == 0) {
      return false;
    } else if (kind == kJump) {
      const bool always = (at.code & 0xf0) == kJumpAlways - kJump;
      stored_before[i + 1 + (always ? at.k : at.jump_true)] &= stored;
      if (!always) stored_before[i + 1 + at.jump_false] &= stored;
      // What comes next is reached by jumps alone.
      stored = kAll;
    }
  }
  return true;
}

}  // namespace

Result<Program> UniformProgram(const std::set<uint32_t>& slots) {
  if (slots.empty()) return Failure{EINVAL, "program"};
  Program program = {Do(kLoadWord, kRandom), Do(kModulo, static_cast<uint32_t>(slots.size()))};
  // The n-th slot is n plus how many slots are left out below it, which changes only at a gap.
  uint32_t added = 0;
  uint32_t next = 0;
  for (const uint32_t slot : slots) {
    const uint32_t n = next++;
    const uint32_t left_out = slot - n;
    if (left_out == added) continue;
    // Below this one, what was reached so far stands.
    program.push_back(If(kJumpIfAtLeast, n + added, 1, 0));
    program.push_back(Do(kReturnAccumulator));
    program.push_back(Do(kAdd, left_out - added));
    added = left_out;
  }
  program.push_back(Do(kReturnAccumulator));
  return Checked(std::move(program));
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
    const double bound = std::min(std::round(below / total * 4294967296.0), 4294967295.0);
    program.push_back(If(kJumpIfAtLeast, static_cast<uint32_t>(bound), 1, 0));
    program.push_back(Do(kReturn, share.slot));
  }
  program.push_back(Do(kReturn, last->slot));
  return Checked(std::move(program));
}

Result<Program> CpuProgram(uint32_t count) {
  if (count == 0) return Failure{EINVAL, "program"};
  return Checked({Do(kLoadWord, kCpu), Do(kModulo, count), Do(kReturnAccumulator)});
}

Result<Program> ProbeProgram(Transport transport, const std::vector<ProbePort>& ports) {
  const uint32_t protocol = transport == Transport::kTcp ? 6 : 17;
  // X is the size of the network header. Of IPv6 only packets without extension headers are looked at.
  Program program = {
      Do(kLoadByte, kNetworkHeader),
      Do(kShiftRight, 4),
      If(kJumpIfEqual, 4, 4, 0),
      Do(kLoadByte, kNetworkHeader + kIpv6NextHeader),
      If(kJumpIfEqual, protocol, 0, 4),
      Do(kIndexIs, kIpv6HeaderSize),
      Do(kJumpAlways, 3),
      Do(kIndexFromHeader, kNetworkHeader),
      Do(kJumpAlways, 1),
      Do(kReturn, kByHash),
      Do(kLoadHalfAtIndex, kNetworkHeader),
  };
  for (const ProbePort& port : ports) {
    program.push_back(If(kJumpIfEqual, port.port, 0, 1));
    program.push_back(Do(kReturn, port.slot));
  }
  program.push_back(Do(kReturn, kByHash));
  return Checked(std::move(program));
}

Status CheckProgram(const Program& program) {
  if (program.size() > kMaxInstructions) return Failure{E2BIG, "program"};
  if (program.empty() || (program.back().code & kClass) != kReturn) return Failure{EINVAL, "program"};
  for (size_t i = 0; i < program.size(); i++) {
    if (!IsKnown(program[i], program.size() - i - 1)) return Failure{EINVAL, "program"};
  }
  if (!LoadsWhatWasStored(program)) return Failure{EINVAL, "program"};
  return Done{};
}

}  // namespace reuseport
