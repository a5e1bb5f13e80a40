#include "platform/platform.h"

namespace reuseport {

#ifdef SO_REUSEPORT
// Solaris 11.4 balances connections between the sockets, unless SO_REUSEADDR is set as well.
const ReusePortOption kReusePortOption = {"SO_REUSEPORT", SO_REUSEPORT, false};
#else
// illumos has no such option.
const ReusePortOption kReusePortOption = {nullptr, 0, false};
#endif

}  // namespace reuseport
