#pragma once

#include <cstdint>
#include <set>
#include <vector>

namespace reuseport {

struct Holder {
  int32_t pid;
  uint64_t inode;
};

// A process that keeps a socket for another one has it at this number or above.
constexpr int kBorrowed = 512;

// For each of these sockets one process that holds it, as far as this user may see (proc(5)). This process comes first,
// then the others, those with few descriptors before those with many. The search costs 3 µs for each descriptor that it
// reads, so it stops as soon as every socket is found. It skips processes that end in the meantime and processes whose
// descriptors this user may not read, and those in `except`. A process that has borrowed a socket is its holder only
// where no other is found. Empty if the system has no /proc/<pid>/fd.
std::vector<Holder> FindHolders(std::set<uint64_t> inodes, const std::set<uint64_t>& except);

// The subset of these sockets that a process holds.
std::set<uint64_t> HeldBy(int32_t pid, const std::set<uint64_t>& inodes);

}  // namespace reuseport
