#include "platform/linux/orphan.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "core/enable_option.h"
#include "core/shared_socket.h"
#include "platform/linux/probe_socket.h"
#include "platform/linux/raised_min_ttl.h"
#include "platform/platform.h"

namespace reuseport {
namespace {

// Below the number that a connection may send at its beginning without an acknowledgement (10; RFC 6928).
constexpr int kPackets = 8;
constexpr int kAcceptTimeout = 50;  // ms

// close() then sends RST, and leaves nothing.
Status ResetOnClose(const Sys& sys, int fd) {
  const linger now = {1, 0};
  if (sys.setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) != 0) return Failure{errno, "setsockopt"};
  return Done{};
}

}  // namespace

Status Orphan::Open() {
  Result<UniqueFd> listener = OpenSocket(sys_, group_.family(), SOCK_STREAM, IPPROTO_TCP);
  if (!listener.ok()) return listener.failure();
  const int fd = listener.value().get();
  Status status = BindToInterface(sys_, fd, device_);
  if (status.ok()) status = Bind(sys_, fd, group_.WithPort(0));
  if (status.ok()) status = Listen(sys_, fd, 1);
  if (!status.ok()) return status;
  Result<SocketAddress> bound = SocketAddress::OfSocket(sys_, fd);
  if (!bound.ok()) return bound.failure();
  port_ = bound.value().port();
  listener_.emplace(std::move(listener.value()));
  return Begin();
}

// Bound as a member is, but it never listens, so the kernel gives it no connections.
Result<UniqueFd> Orphan::OpenOtherEnd() {
  Result<UniqueFd> end = OpenSharedSocket(sys_, {Transport::kTcp, group_.family(), true, false});
  if (!end.ok()) return end;
  const int fd = end.value().get();
  // The kernel shares an address between the sockets of one user. Root may probe the group of another one.
  struct stat status {};
  if (sys_.fstat(fd, &status) != 0) return Failure{errno, "fstat"};
  if (status.st_uid != owner_ && sys_.fchown(fd, owner_, static_cast<gid_t>(-1)) != 0) return Failure{errno, "fchown"};
  Status set = BindToInterface(sys_, fd, device_);
  if (set.ok()) set = ResetOnClose(sys_, fd);
  if (set.ok()) set = Bind(sys_, fd, group_);
  if (!set.ok()) return set.failure();
  const SocketAddress target = group_.WithPort(port_);
  if (sys_.connect(fd, target.data(), target.size()) != 0 && errno != EINPROGRESS) return Failure{errno, "connect"};
  return end;
}

Result<UniqueFd> Orphan::Accept() {
  for (;;) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    const int fd = sys_.accept(listener_->get(), reinterpret_cast<sockaddr*>(&peer), &size);
    if (fd >= 0) {
      UniqueFd accepted(sys_, fd);
      // Both families have the port at the same place. Somebody else may connect, too.
      if (ntohs(reinterpret_cast<const sockaddr_in*>(&peer)->sin_port) == group_.port()) return accepted;
      continue;
    }
    // A client that has gone by now is none of this probe's. A signal interrupts, and says nothing.
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN) return Failure{errno, "accept"};
    pollfd wanted = {listener_->get(), POLLIN, 0};
    const int ready = sys_.poll(&wanted, 1, kAcceptTimeout);
    if (ready < 0 && errno != EINTR) return Failure{errno, "poll"};
    if (ready == 0) return Failure{ETIMEDOUT, "accept"};
  }
}

// Makes the connection, and closes its other end.
Result<UniqueFd> Orphan::Connect() {
  Result<UniqueFd> other = OpenOtherEnd();
  if (!other.ok()) return other;
  Result<UniqueFd> accepted = Accept();
  if (!accepted.ok()) return accepted;
  const int family = group_.family();
  const int fd = accepted.value().get();
  Status set = ResetOnClose(sys_, fd);
  if (set.ok()) set = EnableOption(sys_, fd, IPPROTO_TCP, TCP_NODELAY);
  if (set.ok()) set = SetTtl(sys_, fd, family, kProbeTtl);
  // From now on this end drops and counts what it receives: the RST of the other end, and the answers of members.
  if (set.ok()) set = SetMinTtl(sys_, fd, family, kHighestTtl);
  if (set.ok()) set = SetTtl(sys_, other.value().get(), family, kProbeTtl);
  if (!set.ok()) return set.failure();
  return accepted;
}

Status Orphan::Begin() {
  Result<UniqueFd> connection = Connect();
  if (!connection.ok()) return connection.failure();
  connection_.emplace(std::move(connection.value()));
  packets_left_ = kPackets;
  drops_ = 0;
  for (int wait = 0; wait <= kWaits; wait++) {
    Result<bool> ended = IsAnswered();
    if (!ended.ok()) return ended.failure();
    if (ended.value()) return Done{};
    (void)sys_.poll(nullptr, 0, kWait);
  }
  return Failure{ETIMEDOUT, "close"};
}

Status Orphan::Send(uint16_t payload) {
  if (packets_left_ == 0) End();
  Status begun = connection_ ? Status(Done{}) : Begin();
  if (!begun.ok()) return begun;
  packets_left_--;
  // The kernel sends the latest packet again if this thread stands still for some ms (RFC 8985, 7), and that is
  // answered.
  Result<bool> again = IsAnswered();
  if (!again.ok()) return again.failure();
  const uint16_t bytes = htons(payload);
  if (sys_.sendto(connection_->get(), &bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT, nullptr, 0) < 0) {
    return Failure{errno, "sendto"};
  }
  return Done{};
}

Result<bool> Orphan::IsAnswered() {
  Result<uint32_t> drops = Drops(sys_, connection_->get());
  if (!drops.ok()) return drops.failure();
  return std::exchange(drops_, drops.value()) != drops.value();
}

void Orphan::End() {
  if (!connection_) return;
  // The RST passes the listeners whose minimum TTL is raised, so that they count no drop.
  (void)SetTtl(sys_, connection_->get(), group_.family(), kHighestTtl);
  connection_.reset();
}

}  // namespace reuseport
