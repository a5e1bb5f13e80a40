#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

namespace reuseport {

// Tells descriptors apart that have the same number one after the other.
using Claim = int64_t;
inline constexpr Claim kUnowned = 0;
// Whichever descriptor has the number now.
inline constexpr Claim kCurrent = -1;

// The descriptors that JavaScript knows by number and that no handle of Node owns yet. A worker thread can be
// terminated between any two of its statements; the destructor then closes the descriptors that the thread still owned.
class OwnedDescriptors {
 public:
  explicit OwnedDescriptors(const Sys& sys) : sys_(sys) {}
  OwnedDescriptors(const OwnedDescriptors&) = delete;
  OwnedDescriptors& operator=(const OwnedDescriptors&) = delete;
  OwnedDescriptors(OwnedDescriptors&&) = delete;
  OwnedDescriptors& operator=(OwnedDescriptors&&) = delete;
  ~OwnedDescriptors();

  Result<int> Add(UniqueFd fd);
  // Which of the descriptors that have had this number has it now; kUnowned where none has.
  Claim ClaimOf(int fd) const;
  // False also where other code has closed the descriptor.
  bool IsOwned(int fd, Claim claim) const;
  // Both fail with EBADF, without effect, for a number that is not in the list, or that has another claim. Close() also
  // fails with EBADF, and closes nothing, if the number no longer refers to the socket that was added, because other
  // code has closed that socket.
  Status Close(int fd, Claim claim);
  Status Release(int fd, Claim claim);

 private:
  struct Owned {
    int fd;
    Claim claim;
    dev_t device;
    ino_t inode;
  };

  std::vector<Owned>::const_iterator Find(int fd, Claim claim) const;
  bool IsStillOpen(const Owned& owned) const;

  const Sys& sys_;
  std::vector<Owned> owned_;
  Claim last_ = kUnowned;
};

}  // namespace reuseport
