#pragma once

#include <string>

#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"

// A descriptor and a line of text between two processes, over a connection of stream sockets: SCM_RIGHTS, unix(7).
// ENOSYS where the system cannot do it in the calls used here.
namespace reuseport {

// One message of 1 to 4096 bytes, a line: '\n' is appended unless it ends with one. EAGAIN where there is no room.
// EINVAL for a text that is empty or has '\n' elsewhere. EMSGSIZE for one that is too long, or that the kernel took in
// part; the connection is of no use then.
Status SendDescriptor(const Sys& sys, int socket, int fd, const std::string& text);

struct DescriptorMessage {
  UniqueFd fd;
  std::string text;  // without its '\n'
};

// The next line and the one descriptor that comes with it. What follows the line stays in the socket. EAGAIN where no
// whole line has come, ECONNRESET at the end of the connection. EBADMSG for anything else: a line without a descriptor
// or with several, a longer one; none of its descriptors stays open, and the connection is of no use then.
Result<DescriptorMessage> ReceiveDescriptor(const Sys& sys, int socket);

}  // namespace reuseport
