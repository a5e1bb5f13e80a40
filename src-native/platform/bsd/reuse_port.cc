#include "platform/platform.h"

namespace reuseport {

// OpenBSD and NetBSD allow duplicate bindings and do not balance (setsockopt(2)).
const ReusePortOption kReusePortOption = {"SO_REUSEPORT", SO_REUSEPORT, true};

}  // namespace reuseport
