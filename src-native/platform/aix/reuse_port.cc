#include "platform/platform.h"

namespace reuseport {

// AIX 7.2 TL5 and later balance connections between the sockets.
const ReusePortOption kReusePortOption = {"SO_REUSEPORT", SO_REUSEPORT, true};

}  // namespace reuseport
