#include "core/socket_holders.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "platform/linux/directory.h"

namespace reuseport {
namespace {

// Reads a decimal number that is followed by exactly `end_of_text`. False for every other text.
bool ToNumber(const char* text, const char* end_of_text, uint64_t* out) {
  if (*text < '0' || *text > '9') return false;
  char* end = nullptr;
  *out = std::strtoull(text, &end, 10);
  return std::strcmp(end, end_of_text) == 0;
}

// The inode in "socket:[123]".
bool ToInode(const char* target, uint64_t* out) {
  constexpr char kPrefix[] = "socket:[";
  constexpr size_t kLength = sizeof(kPrefix) - 1;
  return std::strncmp(target, kPrefix, kLength) == 0 && ToNumber(target + kLength, "]", out);
}

std::string FolderOf(int32_t pid) {
  return "/proc/" + std::to_string(pid) + "/fd";
}

// Calls `found` with the inode and the descriptor of each socket of a process, until `found` returns false.
template <typename Found>
void ForEachSocket(int32_t pid, Found found) {
  const Directory directory = OpenDirectory(FolderOf(pid));
  if (directory == nullptr) return;
  const int folder = dirfd(directory.get());
  while (const dirent* entry = readdir(directory.get())) {
    char target[64];
    const ssize_t length = readlinkat(folder, entry->d_name, target, sizeof(target) - 1);
    if (length <= 0) continue;
    target[length] = '\0';
    uint64_t inode = 0;
    if (ToInode(target, &inode) && !found(inode, std::atoi(entry->d_name))) return;
  }
}

struct Process {
  int32_t pid;
  off_t descriptors;

  bool operator<(const Process& other) const {
    return descriptors != other.descriptors ? descriptors < other.descriptors : pid < other.pid;
  }
};

// This process first, then the others, sorted by the number of their descriptors. Since Linux 6.2 that number is the
// size of the folder /proc/<pid>/fd. A set, because std::sort is 4 kB of code.
std::set<Process> ListProcesses() {
  std::set<Process> processes;
  const Directory directory = OpenDirectory("/proc");
  if (directory == nullptr) return processes;
  while (const dirent* entry = readdir(directory.get())) {
    uint64_t pid = 0;
    if (!ToNumber(entry->d_name, "", &pid) || pid > INT32_MAX) continue;
    struct stat status {};
    const auto number = static_cast<int32_t>(pid);
    if (stat(FolderOf(number).c_str(), &status) != 0) continue;
    processes.insert({number, number == getpid() ? -1 : status.st_size});
  }
  return processes;
}

}  // namespace

std::vector<Holder> FindHolders(std::set<uint64_t> inodes, const std::set<uint64_t>& except) {
  std::vector<Holder> holders;
  std::vector<Holder> borrowers;
  if (inodes.empty()) return holders;
  for (const Process& process : ListProcesses()) {
    if (except.count(static_cast<uint64_t>(process.pid)) != 0) continue;
    ForEachSocket(process.pid, [&](uint64_t inode, int descriptor) {
      if (descriptor >= kBorrowed) {
        if (inodes.count(inode) != 0) borrowers.push_back({process.pid, inode});
      } else if (inodes.erase(inode) != 0) {
        holders.push_back({process.pid, inode});
      }
      return !inodes.empty();
    });
    if (inodes.empty()) break;
  }
  for (const Holder& borrower : borrowers) {
    if (inodes.erase(borrower.inode) != 0) holders.push_back(borrower);
  }
  return holders;
}

std::set<uint64_t> HeldBy(int32_t pid, const std::set<uint64_t>& inodes) {
  std::set<uint64_t> held;
  if (inodes.empty()) return held;
  ForEachSocket(pid, [&](uint64_t inode, int /*descriptor*/) {
    if (inodes.count(inode) != 0) held.insert(inode);
    return true;
  });
  return held;
}

}  // namespace reuseport
