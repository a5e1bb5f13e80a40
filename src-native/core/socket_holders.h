#pragma once

#include <cstdint>
#include <set>
#include <vector>

namespace reuseport {

struct Holder {
  int32_t pid;
  uint64_t inode;
};

// For each of these sockets one process that holds it, as far as this user may see (proc(5)): this one where it does,
// otherwise the first that is found, those with few descriptors being looked at first. A look costs 3 µs for each
// descriptor of the machine, so it ends with the last socket found. A process that ends meanwhile or may not be looked
// into is passed over. Nothing where the system has no /proc/<pid>/fd.
std::vector<Holder> FindHolders(std::set<uint64_t> inodes);

// Which of these sockets a process holds.
std::set<uint64_t> HeldBy(int32_t pid, const std::set<uint64_t>& inodes);

}  // namespace reuseport
