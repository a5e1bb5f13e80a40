#pragma once

#include <sys/types.h>

#include <vector>

#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

namespace reuseport {

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
  // Both fail with EBADF, without effect, for a number that is not in the list. Close() also fails with EBADF, and
  // closes nothing, if the number no longer refers to the socket that was added, because other code has closed that
  // socket.
  Status Close(int fd);
  Status Release(int fd);

 private:
  struct Owned {
    int fd;
    dev_t device;
    ino_t inode;
  };

  std::vector<Owned>::iterator Find(int fd);
  bool IsStillOpen(const Owned& owned) const;

  const Sys& sys_;
  std::vector<Owned> owned_;
};

}  // namespace reuseport
