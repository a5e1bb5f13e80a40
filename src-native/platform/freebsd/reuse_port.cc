#include "platform/platform.h"

namespace reuseport {

// FreeBSD 12 and later balance between at most 256 sockets with SO_REUSEPORT_LB. Their SO_REUSEPORT only allows the
// duplicate binding, without balancing (setsockopt(2)).
const ReusePortOption kReusePortOption = {"SO_REUSEPORT_LB", SO_REUSEPORT_LB, true};

}  // namespace reuseport
