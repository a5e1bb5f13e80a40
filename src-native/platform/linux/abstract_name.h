#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "core/peer.h"
#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

namespace reuseport {

// A name of unix sockets that is no file, and is gone with its socket: unix(7).
struct AbstractName {
  sockaddr_un address;
  socklen_t size;

  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&address); }
  // With the NUL that it begins with.
  std::string Path() const;
};

// ENAMETOOLONG
Result<AbstractName> ToAbstractName(const std::string& text);

Result<UniqueFd> OpenUnixSocket(const Sys& sys);

// As OwnerOfName() of core/peer.h, by the dump alone: for callers whose connect() has failed.
Result<NameOwner> BinderOf(const Sys& sys, const AbstractName& name);

}  // namespace reuseport
