#include "platform/platform.h"

namespace reuseport {

// macOS shares the port, but the socket that was bound last receives every connection.
const ReusePortOption kReusePortOption = {"SO_REUSEPORT", SO_REUSEPORT, true};

}  // namespace reuseport
