#include <cerrno>

#include "core/filter_program.h"
#include "core/instruction_set.h"

namespace reuseport {
namespace {

constexpr uint32_t kMemoryWords = 16;

// The offsets 0, 4, 8 ... 60: those of Linux since 4.4.
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
  if (operation > 0xa0) return false;       // xor is the last operation
  if (by_index) return true;
  if (operation == 0x30 || operation == 0x90) return instruction.k != 0;  // division, remainder
  if (operation == 0x60 || operation == 0x70) return instruction.k < 32;  // shifts
  return true;
}

// `left`: the number of instructions that follow.
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

// Whether each word of memory that an instruction loads was stored before, on every path to that instruction. Jumps go
// forward only, so one pass follows all paths. Every instruction must have passed IsKnown().
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
      const bool always = (at.code & 0xf0) == 0;
      stored_before[i + 1 + (always ? at.k : at.jump_true)] &= stored;
      if (!always) stored_before[i + 1 + at.jump_false] &= stored;
      // Only jumps reach the next instruction.
      stored = kAll;
    }
  }
  return true;
}

}  // namespace

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
