#include "core/owned_descriptors.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace reuseport {

Result<int> OwnedDescriptors::Add(UniqueFd fd) {
  struct stat status;
  if (sys_.fstat(fd.get(), &status) != 0) return Failure{errno, "fstat"};
  owned_.push_back({fd.get(), status.st_dev, status.st_ino});
  return fd.Release();
}

Status OwnedDescriptors::Close(int fd) {
  const auto found = Find(fd);
  if (found == owned_.end()) return Failure{EBADF, "close"};
  const bool open = IsStillOpen(*found);
  owned_.erase(found);
  if (!open) return Failure{EBADF, "close"};
  if (sys_.close(fd) != 0 && errno != EINTR && errno != EINPROGRESS) return Failure{errno, "close"};
  return Done{};
}

Status OwnedDescriptors::Release(int fd) {
  const auto found = Find(fd);
  if (found == owned_.end()) return Failure{EBADF, "release"};
  owned_.erase(found);
  return Done{};
}

// Runs when the environment ends, after Node has closed its handles. A thread terminated between giving a descriptor to
// a handle and saying so leaves it in the list although it is closed by now, and its number may be another thread's:
// only a number that still means the same socket is closed.
OwnedDescriptors::~OwnedDescriptors() {
  for (const Owned& owned : owned_) {
    if (IsStillOpen(owned)) sys_.close(owned.fd);
  }
}

bool OwnedDescriptors::IsStillOpen(const Owned& owned) const {
  struct stat status;
  if (sys_.fstat(owned.fd, &status) != 0) return false;
  return status.st_dev == owned.device && status.st_ino == owned.inode;
}

std::vector<OwnedDescriptors::Owned>::iterator OwnedDescriptors::Find(int fd) {
  return std::find_if(owned_.begin(), owned_.end(), [fd](const Owned& owned) { return owned.fd == fd; });
}

}  // namespace reuseport
