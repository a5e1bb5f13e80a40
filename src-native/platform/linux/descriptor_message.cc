#include "core/descriptor_message.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace reuseport {
namespace {

constexpr size_t kLongestText = 4096;
constexpr size_t kLongestLine = kLongestText + 1;
constexpr char kEnd = '\n';

// Room for two: where more come than one, that is told by the second, or by MSG_CTRUNC. The kernel closes what has no
// room.
struct Control {
  alignas(cmsghdr) char bytes[CMSG_SPACE(2 * sizeof(int))] = {};
};

// Takes every descriptor of a message, so that those that are not wanted are closed.
std::vector<UniqueFd> TakeDescriptors(const Sys& sys, msghdr* message) {
  std::vector<UniqueFd> taken;
  for (cmsghdr* part = CMSG_FIRSTHDR(message); part != nullptr; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
      taken.emplace_back(sys, fd);
    }
  }
  return taken;
}

// How many bytes the next line has, with its end; they stay in the socket.
Result<size_t> PeekLine(const Sys& sys, int socket) {
  std::array<char, kLongestLine> line;
  iovec part{line.data(), line.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t length = sys.recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT);
  if (length < 0) return Failure{errno, "recvmsg"};
  if (length == 0) return Failure{ECONNRESET, "recvmsg"};
  const auto end = std::find(line.begin(), line.begin() + length, kEnd);
  if (end != line.begin() + length) return static_cast<size_t>(end - line.begin()) + 1;
  // Nothing is seen beyond bytes that have a descriptor with them, which MSG_CTRUNC tells where there is no room for
  // it: the line would never become whole.
  const bool is_cut = (message.msg_flags & MSG_CTRUNC) != 0;
  return Failure{is_cut || static_cast<size_t>(length) == line.size() ? EBADMSG : EAGAIN, "recvmsg"};
}

}  // namespace

Status SendDescriptor(const Sys& sys, int socket, int fd, const std::string& text) {
  std::string line = text;
  if (line.empty() || line.back() != kEnd) line += kEnd;
  if (line.find(kEnd) != line.size() - 1 || line.size() == 1) return Failure{EINVAL, "sendmsg"};
  if (line.size() > kLongestLine) return Failure{EMSGSIZE, "sendmsg"};

  Control control;
  iovec part{line.data(), line.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = CMSG_SPACE(sizeof(fd));
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(fd));
  std::memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
  const ssize_t sent = sys.sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return Failure{errno, "sendmsg"};
  if (static_cast<size_t>(sent) != line.size()) return Failure{EMSGSIZE, "sendmsg"};
  return Done{};
}

Result<DescriptorMessage> ReceiveDescriptor(const Sys& sys, int socket) {
  // The kernel gives bytes together that were written apart, so exactly those of the line are asked for.
  Result<size_t> size = PeekLine(sys, socket);
  if (!size.ok()) return size.failure();
  std::string line(size.value(), '\0');
  Control control;
  iovec part{line.data(), line.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof(control.bytes);
  const ssize_t length = sys.recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0) return Failure{errno, "recvmsg"};
  std::vector<UniqueFd> taken = TakeDescriptors(sys, &message);
  const bool is_whole = static_cast<size_t>(length) == line.size() && (message.msg_flags & MSG_CTRUNC) == 0;
  if (!is_whole || taken.size() != 1) return Failure{EBADMSG, "recvmsg"};
  line.pop_back();
  return DescriptorMessage{std::move(taken.front()), std::move(line)};
}

}  // namespace reuseport
