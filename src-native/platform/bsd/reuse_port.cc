#include "platform/platform.h"

namespace reuseport {

// OpenBSD and NetBSD allow duplicate bindings, without balancing (setsockopt(2)).
const ReusePortOption kReusePortOption = {"SO_REUSEPORT", SO_REUSEPORT, true};

}  // namespace reuseport
