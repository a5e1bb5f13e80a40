#include "core/owned_descriptors.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace reuseport {

Result<int> OwnedDescriptors::Add(UniqueFd fd) {
  struct stat status;
  if (sys_.fstat(fd.get(), &status) != 0) return Failure{errno, "fstat"};
  // The kernel would not have given out the number if the descriptor that had it were still open.
  const auto stale = Find(fd.get(), kCurrent);
  if (stale != owned_.end()) owned_.erase(stale);
  owned_.push_back({fd.get(), ++last_, status.st_dev, status.st_ino});
  return fd.Release();
}

Claim OwnedDescriptors::ClaimOf(int fd) const {
  const auto found = Find(fd, kCurrent);
  return found == owned_.end() ? kUnowned : found->claim;
}

bool OwnedDescriptors::IsOwned(int fd, Claim claim) const {
  const auto found = Find(fd, claim);
  return found != owned_.end() && IsStillOpen(*found);
}

Status OwnedDescriptors::Close(int fd, Claim claim) {
  const auto found = Find(fd, claim);
  if (found == owned_.end()) return Failure{EBADF, "close"};
  const bool open = IsStillOpen(*found);
  owned_.erase(found);
  if (!open) return Failure{EBADF, "close"};
  if (sys_.close(fd) != 0 && errno != EINTR && errno != EINPROGRESS) return Failure{errno, "close"};
  return Done{};
}

Status OwnedDescriptors::Release(int fd, Claim claim) {
  const auto found = Find(fd, claim);
  if (found == owned_.end()) return Failure{EBADF, "release"};
  owned_.erase(found);
  return Done{};
}

// Runs when the environment ends, after Node has closed its handles. If a thread was terminated after it gave a
// descriptor to a handle and before it called Release(), the descriptor is still in the list although Node has closed
// it in the meantime. Its number may then belong to another thread. So the destructor closes a number only if it still
// refers to the same socket.
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

std::vector<OwnedDescriptors::Owned>::const_iterator OwnedDescriptors::Find(int fd, Claim claim) const {
  return std::find_if(owned_.begin(), owned_.end(), [fd, claim](const Owned& owned) {
    return owned.fd == fd && (claim == kCurrent || claim == owned.claim);
  });
}

}  // namespace reuseport
