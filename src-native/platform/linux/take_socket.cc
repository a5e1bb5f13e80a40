#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "core/steering.h"
#include "platform/linux/directory.h"

namespace reuseport {
namespace {

bool IsSocket(const std::string& path, uint64_t inode) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) && status.st_ino == inode;
}

// The number of the socket's descriptor in that process.
Result<int> FindDescriptor(int pid, uint64_t inode) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd/";
  const Directory directory = OpenDirectory(folder);
  if (!directory) return Failure{errno == EACCES ? EPERM : errno, "opendir"};
  while (const dirent* entry = readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    if (IsSocket(folder + entry->d_name, inode)) return std::atoi(entry->d_name);
  }
  return Failure{ENOENT, "opendir"};
}

}  // namespace

Result<UniqueFd> TakeSocket(const Sys& sys, int pid, uint64_t inode) {
  const int process = sys.pidfd_open(pid);
  if (process < 0) return Failure{errno, "pidfd_open"};
  const UniqueFd owned(sys, process);
  Result<int> theirs = FindDescriptor(pid, inode);
  if (!theirs.ok()) return theirs.failure();
  const int fd = sys.pidfd_getfd(process, theirs.value());
  if (fd < 0) return Failure{errno, "pidfd_getfd"};
  UniqueFd ours(sys, fd);
  // In the meantime the process may have reused the number for another file.
  struct stat status {};
  if (sys.fstat(fd, &status) != 0) return Failure{errno, "fstat"};
  if (!S_ISSOCK(status.st_mode) || status.st_ino != inode) return Failure{ENOENT, "pidfd_getfd"};
  return ours;
}

}  // namespace reuseport
