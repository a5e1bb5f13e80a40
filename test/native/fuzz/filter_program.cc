// libFuzzer: checks any instructions as a program; CheckProgram() must agree with the kernel. And builds policies from
// any slots and weights; their programs must choose only slots of the policy.

#include "core/filter_program.h"

#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <vector>

using reuseport::Instruction;
using reuseport::Program;
using reuseport::Result;
using reuseport::Share;

namespace {

bool KernelTakes(const Program& program) {
  static const int kSocket = [] {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int one = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0 ? fd : -1;
  }();
  if (kSocket < 0) std::abort();
  std::vector<sock_filter> instructions;
  for (const Instruction& from : program) {
    instructions.push_back({from.code, from.jump_true, from.jump_false, from.k});
  }
  sock_fprog filter{static_cast<unsigned short>(instructions.size()), instructions.data()};
  if (setsockopt(kSocket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof(filter)) == 0) return true;
  // Errors other than EINVAL are not about the program.
  return errno != EINVAL;
}

// The slot that a program chooses. Interprets only the few instructions that policies use.
uint32_t Choose(const Program& program, uint32_t random) {
  uint32_t accumulator = 0;
  for (size_t i = 0; i < program.size(); i++) {
    const Instruction& at = program[i];
    switch (at.code) {
      case 0x20:
        accumulator = random;
        break;
      case 0x94:
        accumulator %= at.k;
        break;
      case 0x04:
        accumulator += at.k;
        break;
      case 0x05:
        i += at.k;
        break;
      case 0x35:
        i += accumulator >= at.k ? at.jump_true : at.jump_false;
        break;
      case 0x15:
        i += accumulator == at.k ? at.jump_true : at.jump_false;
        break;
      case 0x16:
        return accumulator;
      case 0x06:
        return at.k;
      default:
        std::abort();
    }
  }
  std::abort();
}

void CheckPolicy(const Result<Program>& built, const std::set<uint32_t>& slots, uint32_t random) {
  auto& program = const_cast<Result<Program>&>(built);
  if (!program.ok()) return;
  if (!KernelTakes(program.value())) std::abort();
  if (slots.count(Choose(program.value(), random)) == 0) std::abort();
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Program program;
  for (size_t i = 0; i + 8 <= size; i += 8) {
    Instruction instruction{};
    std::memcpy(&instruction, data + i, 8);
    program.push_back(instruction);
  }
  if (reuseport::CheckProgram(program).ok() != KernelTakes(program)) std::abort();

  if (size < 5) return 0;
  uint32_t random = 0;
  std::memcpy(&random, data, sizeof(random));
  std::set<uint32_t> slots;
  std::set<uint32_t> weighted;
  std::vector<Share> shares;
  for (size_t i = 4; i + 2 <= size; i += 2) {
    if (!slots.insert(data[i]).second) continue;
    shares.push_back({data[i], static_cast<double>(data[i + 1]) / 3});
    if (data[i + 1] != 0) weighted.insert(data[i]);
  }
  CheckPolicy(reuseport::UniformProgram(slots), slots, random);
  CheckPolicy(reuseport::WeightedProgram(shares), weighted, random);
  return 0;
}
