#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/shared_socket.h"

// Classic BPF programs that choose a member of a group by its slot, which is its position in the kernel's array of the
// group (socket(7), SO_ATTACH_REUSEPORT_CBPF; Linux Documentation/networking/filter.rst). The kernel runs the program
// for each new connection or datagram.
namespace reuseport {

// Has the layout of struct sock_filter.
struct Instruction {
  uint16_t code;
  uint8_t jump_true;   // number of instructions to skip
  uint8_t jump_false;  // the same
  uint32_t k;
};

using Program = std::vector<Instruction>;

// BPF_MAXINSNS.
inline constexpr size_t kMaxInstructions = 4096;

// Not a slot: the kernel then chooses among all members, by its hash.
inline constexpr uint32_t kByHash = UINT32_MAX;

struct Share {
  uint32_t slot;
  double weight;
};

struct ProbePort {
  uint16_t port;
  uint32_t slot;
};

// Each fails with E2BIG if the program would have more than kMaxInstructions, and with EINVAL if there is no slot, or
// if the weights are negative, infinite, not numbers or all 0.
Result<Program> UniformProgram(const std::set<uint32_t>& slots);
Result<Program> WeightedProgram(const std::vector<Share>& shares);

// A packet that CPU c receives goes to slot c modulo `count`.
Result<Program> CpuProgram(uint32_t count);

// A TCP packet from one of these ports goes to the slot of the port, every other packet to the slot that the hash
// chooses.
Result<Program> ProbeProgram(const std::vector<ProbePort>& ports);

// A TCP packet from one of these ports goes to the slot that the first two bytes of its payload give, every other
// packet to the slot that the hash chooses.
Result<Program> PayloadProgram(const std::vector<uint16_t>& ports);

// Whether the kernel accepts the program. EINVAL for an unknown instruction, a jump out of the program, a division by
// 0, a word of memory that does not exist or is loaded before it is stored, and a program that does not end with a
// return. E2BIG for more than kMaxInstructions.
Status CheckProgram(const Program& program);

}  // namespace reuseport
