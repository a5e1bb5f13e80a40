#pragma once

#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/result.h"

// What all replies of NETLINK_SOCK_DIAG have in common: sock_diag(7), netlink(7).
namespace reuseport {

enum class DumpProgress {
  kMore,         // the dump goes on in the next datagram
  kDone,         // it is complete
  kInterrupted,  // sockets changed meanwhile, and some may be missing or there twice (NLM_F_DUMP_INTR)
  kMalformed,    // what was received is no reply of the kernel
};

// Bytes of which only `size` may be read. What is taken is copied: replies are aligned to 4 bytes, C++ asks for more.
struct Bytes {
  const uint8_t* data;
  size_t size;

  template <typename T>
  bool Read(T* out) const {
    if (size < sizeof(T)) return false;
    std::memcpy(out, data, sizeof(T));
    return true;
  }

  Bytes From(size_t offset) const {
    return offset >= size ? Bytes{data + size, 0} : Bytes{data + offset, size - offset};
  }

  Bytes Upto(size_t length) const { return {data, length < size ? length : size}; }
};

constexpr size_t Align(size_t length) {
  return (length + 3) & ~static_cast<size_t>(3);
}

// Calls `read` with the type and the payload of each attribute. False where they are malformed.
template <typename Read>
bool ReadAttributes(Bytes rest, Read read) {
  while (rest.size >= sizeof(nlattr)) {
    nlattr header{};
    rest.Read(&header);
    if (header.nla_len < sizeof(header) || header.nla_len > rest.size) return false;
    read(static_cast<uint16_t>(header.nla_type & NLA_TYPE_MASK), rest.Upto(header.nla_len).From(sizeof(header)));
    rest = rest.From(Align(header.nla_len));
  }
  return true;
}

// NLMSG_DONE and NLMSG_ERROR carry an error, negative or 0.
inline Result<DumpProgress> End(const Bytes& message, bool needs_error) {
  int32_t error = 0;
  if (!message.Read(&error)) return needs_error ? DumpProgress::kMalformed : DumpProgress::kDone;
  if (error > 0) return DumpProgress::kMalformed;
  if (error == 0) return DumpProgress::kDone;
  // No errno is as low as this; its negation must not overflow.
  if (error < -4095) return DumpProgress::kMalformed;
  return Failure{-error, "recvfrom"};
}

// Calls `read` with the message of each socket in one datagram, until it gives false because that is malformed.
// Messages of another sequence are another request's and passed over. An error that the kernel reports is a failure.
template <typename Read>
Result<DumpProgress> ReadReply(Bytes rest, uint32_t sequence, Read read) {
  bool interrupted = false;
  while (rest.size > 0) {
    nlmsghdr header{};
    if (!rest.Read(&header) || header.nlmsg_len < sizeof(header) || header.nlmsg_len > rest.size) {
      return DumpProgress::kMalformed;
    }
    const Bytes message = rest.Upto(header.nlmsg_len).From(sizeof(header));
    rest = rest.From(Align(header.nlmsg_len));
    if (header.nlmsg_seq != sequence) continue;
    if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted = true;
    if (header.nlmsg_type == NLMSG_ERROR) return End(message, true);
    if (header.nlmsg_type == NLMSG_DONE) {
      return interrupted ? Result<DumpProgress>(DumpProgress::kInterrupted) : End(message, false);
    }
    if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY && !read(message)) return DumpProgress::kMalformed;
  }
  return interrupted ? DumpProgress::kInterrupted : DumpProgress::kMore;
}

}  // namespace reuseport
