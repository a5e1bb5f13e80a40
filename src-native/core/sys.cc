#include "core/sys.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace reuseport {
namespace {

// Variadic in libc, so it cannot stand in the table by itself.
int Ioctl(int fd, unsigned long request, int* value) {
  return ::ioctl(fd, request, value);
}

}  // namespace

const Sys kSystem = {::socket, Ioctl,         ::setsockopt, ::getsockopt, ::bind,  ::listen, ::connect,
                     ::poll,   ::getsockname, ::sendto,     ::recvfrom,   ::fstat, ::close};

}  // namespace reuseport
