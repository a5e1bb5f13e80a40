#include "platform/platform.h"

namespace reuseport {

// Linux 3.9 and later balance by hash between the sockets of one user (socket(7)). Older kernels, and systems that
// imitate Linux without this option, answer ENOPROTOOPT.
const ReusePortOption kReusePortOption = {"SO_REUSEPORT", SO_REUSEPORT, true};

}  // namespace reuseport
