#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/sys.h"
#include "core/unique_fd.h"
#include "platform/linux/netlink_reply.h"

// Dumps of NETLINK_SOCK_DIAG: a request to the kernel, and its replies to the end. sock_diag(7), netlink(7)
namespace reuseport {

// The kernel fills at most 32 kB at a time.
inline constexpr size_t kReplySize = 65536;
inline constexpr uint32_t kDumpAttempts = 10;

// A socket over which the kernel has been asked.
Result<UniqueFd> StartDump(const Sys& sys, const void* request, size_t size, uint32_t sequence);

// One datagram of the kernel's; what others send is passed over.
Result<size_t> ReceiveReply(const Sys& sys, int fd, std::vector<uint8_t>* buffer);

// Reads one datagram and adds what is in it to the rows.
template <typename Row>
using ParseReply = Result<DumpProgress> (*)(const uint8_t* data, size_t length, uint32_t sequence,
                                            std::vector<Row>* rows);

// Nothing where sockets changed meanwhile.
template <typename Row, typename Request>
Result<std::optional<std::vector<Row>>> TryToDump(const Sys& sys, const Request& request, uint32_t sequence,
                                                  ParseReply<Row> parse) {
  Result<UniqueFd> netlink = StartDump(sys, &request, sizeof(request), sequence);
  if (!netlink.ok()) return netlink.failure();
  std::vector<Row> rows;
  std::vector<uint8_t> buffer(kReplySize);
  for (;;) {
    Result<size_t> length = ReceiveReply(sys, netlink.value().get(), &buffer);
    if (!length.ok()) return length.failure();
    Result<DumpProgress> progress = parse(buffer.data(), length.value(), sequence, &rows);
    if (!progress.ok()) return progress.failure();
    switch (progress.value()) {
      case DumpProgress::kMore:
        break;
      case DumpProgress::kDone:
        return std::optional<std::vector<Row>>(std::move(rows));
      case DumpProgress::kInterrupted:
        return std::optional<std::vector<Row>>();
      case DumpProgress::kMalformed:
        return Failure{EBADMSG, "recvfrom"};
    }
  }
}

// EAGAIN where sockets changed during every attempt.
template <typename Row, typename Request>
Result<std::vector<Row>> Dump(const Sys& sys, const Request& request, ParseReply<Row> parse) {
  for (uint32_t attempt = 1; attempt <= kDumpAttempts; attempt++) {
    // A socket of its own for each attempt: nothing of an earlier one can be in its queue.
    Result<std::optional<std::vector<Row>>> rows = TryToDump(sys, request, attempt, parse);
    if (!rows.ok()) return rows.failure();
    if (rows.value()) return std::move(*rows.value());
  }
  return Failure{EAGAIN, "recvfrom"};
}

}  // namespace reuseport
