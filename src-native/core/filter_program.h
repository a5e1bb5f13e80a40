#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/shared_socket.h"

// Classic BPF programs that choose a member of a group by its slot: the position in the kernel's array of the group
// (socket(7), SO_ATTACH_REUSEPORT_CBPF; Linux Documentation/networking/filter.rst). Built here, run by the kernel for
// each new connection or datagram.
namespace reuseport {

// As struct sock_filter.
struct Instruction {
  uint16_t code;
  uint8_t jump_true;   // instructions to pass over
  uint8_t jump_false;  // likewise
  uint32_t k;
};

using Program = std::vector<Instruction>;

// BPF_MAXINSNS.
inline constexpr size_t kMaxInstructions = 4096;

// No slot: the kernel then chooses by its hash, among all members.
inline constexpr uint32_t kByHash = UINT32_MAX;

struct Share {
  uint32_t slot;
  double weight;
};

struct ProbePort {
  uint16_t port;
  uint32_t slot;
};

// Each fails with E2BIG where the kernel would not take as many instructions, and EINVAL where there is no slot.
Result<Program> UniformProgram(const std::set<uint32_t>& slots);
Result<Program> WeightedProgram(const std::vector<Share>& shares);

// What CPU c receives goes to slot c modulo `count`.
Result<Program> CpuProgram(uint32_t count);

// What comes from one of these ports goes to its slot, everything else by hash.
Result<Program> ProbeProgram(Transport transport, const std::vector<ProbePort>& ports);

// Whether the kernel can run it to an end: EINVAL for an instruction that it does not know, a jump out of the program,
// a division by 0, memory that there is not or that nothing was stored in, and a program without end; E2BIG.
Status CheckProgram(const Program& program);

}  // namespace reuseport
