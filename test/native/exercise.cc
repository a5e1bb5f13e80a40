// Runs the C++ core without JavaScript, for tools that cannot inspect Node (valgrind, ThreadSanitizer), and on musl.
// Calls everything in the core once, then repeatedly: in run n the n-th system call fails, until a run has fewer calls
// than n. At the end as many descriptors must be open as at the start. Linux.
//
//   exercise [threads]

#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/address.h"
#include "core/descriptor_message.h"
#include "core/filter_program.h"
#include "core/group_lock.h"
#include "core/option_table.h"
#include "core/owned_descriptors.h"
#include "core/peer.h"
#include "core/process.h"
#include "core/queue_watch.h"
#include "core/shared_socket.h"
#include "core/socket_dump.h"
#include "core/socket_holders.h"
#include "core/socket_option.h"
#include "core/steering.h"
#include "core/sys.h"
#include "failing_sys.h"
#include "platform/platform.h"

namespace reuseport {
namespace {

uint64_t InodeOf(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

Result<UniqueFd> OpenMember(const Sys& sys, Transport transport, int family, uint16_t port) {
  Result<UniqueFd> opened = OpenSharedSocket(sys, {transport, family, family == AF_INET6, false});
  if (!opened.ok()) return opened;
  const int fd = opened.value().get();
  if (!SetReuseAddress(sys, fd, false).ok()) return Failure{errno, "setsockopt"};
  Result<SocketAddress> address = SocketAddress::Parse(family, family == AF_INET ? "127.0.0.1" : "::1", port);
  Status bound = Bind(sys, fd, address.value());
  if (!bound.ok()) return bound.failure();
  if (transport == Transport::kUdp) return opened;
  Status listens = Listen(sys, fd, 16);
  if (!listens.ok()) return listens.failure();
  return opened;
}

// Sets each option of the table that this system has and this user may set.
void Options(const Sys& sys, int fd, Transport transport, int family) {
  for (const SocketOption& option : SocketOptions()) {
    if (transport == Transport::kTcp ? !option.tcp : !option.udp) continue;
    Expect(FindSocketOption(option.name) == &option, "an option is found by its name");
    Result<OptionValue> before = GetSocketOption(sys, fd, family, option);
    if (!before.ok()) continue;
    // Sets the value that was read. Tests in JavaScript cover other values.
    if (before.value().number < option.minimum) continue;
    Status set = SetSocketOption(sys, fd, family, option, before.value());
    static_cast<void>(set.ok());
  }
  const int one = 1;
  Status raw = SetRawOption(sys, fd, {SOL_SOCKET, SO_KEEPALIVE}, {reinterpret_cast<const char*>(&one), sizeof(one)});
  Expect(raw.ok(), "a raw option is set");
}

void Programs(const Sys& sys, int fd) {
  Result<Program> uniform = UniformProgram({0, 2, 5});
  Result<Program> weighted = WeightedProgram({{0, 1.5}, {1, 0}, {2, 3}});
  Result<Program> by_cpu = CpuProgram(2);
  for (Result<Program>* program : {&uniform, &weighted, &by_cpu}) {
    Expect(program->ok() && AttachProgram(sys, fd, program->value()).ok(), "a program is attached");
  }
  Expect(!AttachProgram(sys, fd, {}).ok(), "an empty program is refused");
  Expect(DetachProgram(sys, fd).ok() && DetachProgram(sys, fd).ok(), "a program is detached");
}

void TcpGroup(const Sys& sys, int family) {
  Result<UniqueFd> first = OpenMember(sys, Transport::kTcp, family, 0);
  if (!first.ok()) return Expect(false, first.failure().call);
  Result<SocketAddress> address = SocketAddress::OfSocket(sys, first.value().get());
  if (!address.ok()) return Expect(false, "getsockname");
  Expect(!address.value().Text().empty(), "the address has a text");
  const uint16_t port = address.value().port();
  Result<UniqueFd> second = OpenMember(sys, Transport::kTcp, family, port);
  if (!second.ok()) return Expect(false, second.failure().call);
  const int one = first.value().get();
  const int other = second.value().get();
  Options(sys, one, Transport::kTcp, family);

  constexpr uint32_t kListening = 1U << 10;
  Result<std::vector<SocketRow>> rows = DumpSockets(sys, {Transport::kTcp, family, kListening, port});
  Expect(rows.ok() && rows.value().size() >= 2, "both members are in the dump");
  const std::set<uint64_t> inodes = {InodeOf(one), InodeOf(other)};
  Expect(FindHolders(inodes, {}).size() == 2, "the holder of both is found");
  Expect(HeldBy(getpid(), inodes) == inodes, "this process holds both");
  Result<UniqueFd> taken = TakeSocket(sys, getpid(), InodeOf(one));
  // valgrind and kernels before 5.6 do not know pidfd_getfd(2).
  const bool unknown = !taken.ok() && taken.failure().error == ENOSYS;
  Expect(unknown || (taken.ok() && InodeOf(taken.value().get()) == InodeOf(one)), "a socket is taken from a process");

  Programs(sys, one);
  Result<std::vector<int>> slots = LearnSlots(sys, {{one, other}, address.value(), 2, 0});
  Expect(slots.ok() && slots.value() == std::vector<int>({0, 1}), "the slots are found");
  Result<AcceptQueue> queue = AcceptQueueOf(sys, one);
  Expect(queue.ok() && queue.value().waiting == 0 && queue.value().limit == 16, "the accept queue is empty");
  Result<MinTtls> before = DeferNewConnections(sys, one, family);
  Expect(before.ok() && AnswerNewConnections(sys, one, family, before.value()).ok(),
         "a listener defers new connections and answers them again");
  Expect(LeaveGroup(sys, other, family, true).ok(), "a member leaves its group");
}

// As many times as a number is read: the thread looks while this one arms, disarms and ends.
void Watches(const Sys& sys) {
  Result<UniqueFd> listener = OpenMember(sys, Transport::kTcp, AF_INET, 0);
  if (!listener.ok()) return Expect(false, listener.failure().call);
  Result<SocketAddress> address = SocketAddress::OfSocket(sys, listener.value().get());
  if (!address.ok()) return Expect(false, "getsockname");
  QueueWatches watches(sys);
  Result<UniqueFd> opened = watches.Open();
  if (!opened.ok()) return Expect(false, opened.failure().call);
  const int watch = opened.value().get();
  const int fd = listener.value().get();
  Expect(watches.SetArmed(watch, fd, 1).ok(), "a queue is armed");
  const UniqueFd client(kSystem, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(client.get(), address.value().data(), address.value().size()) != 0) return Expect(false, "connect");
  for (int i = 0; i < 3 && !has_failed; i++) {
    pollfd wanted{watch, POLLIN, 0};
    int32_t number = -1;
    Expect(poll(&wanted, 1, 10'000) == 1 && read(watch, &number, sizeof(number)) == sizeof(number) && number == fd,
           "a queue that stands is told");
    Expect(watches.SetArmed(watch, fd, 1).ok(), "it is armed again");
  }
  Expect(watches.SetArmed(watch, fd, 0).ok() && !watches.SetArmed(watch, fd, 0).ok(), "it is disarmed once");
  Expect(watches.SetArmed(watch, fd, 1).ok() && !watches.SetArmed(watch + 1000, fd, 1).ok(),
         "it is armed in a watch that there is");
  Result<UniqueFd> another = watches.Open();
  if (!another.ok()) return Expect(false, another.failure().call);
  Expect(watches.SetArmed(another.value().get(), fd, 1).ok(), "it is armed in two watches");
  watches.End(watch);
  watches.End(watch);
  Expect(!watches.SetArmed(watch, fd, 1).ok(), "a watch that has ended is none");
  // The destructor ends the other one, within its patience.
}

void UdpGroup(const Sys& sys, int family) {
  Result<UniqueFd> first = OpenMember(sys, Transport::kUdp, family, 0);
  if (!first.ok()) return Expect(false, first.failure().call);
  Result<SocketAddress> address = SocketAddress::OfSocket(sys, first.value().get());
  if (!address.ok()) return Expect(false, "getsockname");
  Result<UniqueFd> second = OpenMember(sys, Transport::kUdp, family, address.value().port());
  if (!second.ok()) return Expect(false, second.failure().call);
  Options(sys, first.value().get(), Transport::kUdp, family);
  Expect(ConnectDatagram(sys, second.value().get(), address.value()).ok(), "a UDP socket is connected to one sender");
}

void Locks(const Sys& sys, const std::string& name) {
  Result<UniqueFd> lock = AcquireLock(sys, name, 0);
  if (!lock.ok()) return Expect(false, lock.failure().call);
  Result<UniqueFd> again = AcquireLock(sys, name, 5);
  Expect(!again.ok() && again.failure().error == ETIMEDOUT, "a second attempt to take a lock times out");
  Result<UniqueFd> connected = ConnectToLock(sys, name);
  Expect(connected.ok(), "a connection to the holder of a lock succeeds");
  if (!connected.ok()) return;
  Result<Peer> peer = PeerOf(sys, connected.value().get());
  Expect(peer.ok() && peer.value().is_own && peer.value().pid == getpid(), "the holder is this process");
  Result<NameOwner> owner = OwnerOfName(sys, name);
  Expect(owner.ok() && owner.value().is_own, "the owner of the name is this user");
  Result<NameOwner> nobody = OwnerOfName(sys, name + "-nobody");
  Expect(!nobody.ok() && nobody.failure().error == ENOENT, "nobody has another name");
}

// A name that is bound, and takes no connections: as whoever holds a lock has it for a moment.
void BoundName(const Sys& sys, const std::string& name) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const UniqueFd bound(kSystem, fd);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) return Expect(false, "bind");
  Result<NameOwner> owner = OwnerOfName(sys, name);
  Expect(owner.ok() && owner.value().is_own && owner.value().uid == geteuid(), "who only bound the name is told");
  Result<UniqueFd> lock = AcquireLock(sys, name, 5);
  Expect(!lock.ok() && lock.failure().error == ETIMEDOUT, "a lock of this user is waited for");
}

void Messages(const Sys& sys) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return Expect(false, "socketpair");
  const UniqueFd sender(kSystem, pair[0]);
  const UniqueFd receiver(kSystem, pair[1]);
  const bool sent = SendDescriptor(sys, sender.get(), receiver.get(), "text").ok();
  Expect(sent, "a descriptor is sent");
  Result<DescriptorMessage> received = ReceiveDescriptor(sys, receiver.get());
  Expect(received.ok() && received.value().text == "text", "a descriptor is received with its text");
  Expect(!received.ok() || InodeOf(received.value().fd.get()) == InodeOf(receiver.get()), "it is that descriptor");
}

void ThisProcess(const Sys& sys) {
  Result<UniqueFd> process = OpenProcess(sys, getpid());
  // valgrind, and kernels before 5.3, do not know the call.
  if (!process.ok()) return Expect(process.failure().error == ENOSYS, "a process is opened");
  Expect(SignalProcess(sys, process.value().get(), 0).ok(), "a process may be signalled");
  Result<bool> ended = HasProcessEnded(sys, process.value().get());
  Expect(ended.ok() && !ended.value(), "it has not ended");
}

void Owners(const Sys& sys) {
  OwnedDescriptors owned(sys);
  for (int i = 0; i < 3; i++) {
    Result<UniqueFd> opened = OpenSharedSocket(sys, {Transport::kTcp, AF_INET, false, false});
    if (!opened.ok()) return Expect(false, "socket");
    Result<int> fd = owned.Add(std::move(opened.value()));
    if (!fd.ok()) return Expect(false, "fstat");
    Expect(!owned.Close(fd.value(), owned.ClaimOf(fd.value()) + 1).ok(), "another claim closes nothing");
    // The first is closed, the second is released and closed by its new owner, the third is closed by the destructor.
    if (i == 0) {
      const bool once = owned.Close(fd.value(), kCurrent).ok() && !owned.Close(fd.value(), kCurrent).ok();
      Expect(once, "a descriptor is closed exactly once");
    }
    if (i == 1 && owned.Release(fd.value(), kCurrent).ok()) close(fd.value());
  }
}

void Addresses() {
  for (const char* text : {"", "127.0.0.1", "256.0.0.1", "::1", "fe80::1%lo", "::ffff:1.2.3.4", "1.2.3.4%lo", "x"}) {
    for (const int family : {AF_INET, AF_INET6}) {
      Result<SocketAddress> address = SocketAddress::Parse(family, text, 80);
      Expect(!address.ok() || address.value().port() == 80, "the port is kept");
      Expect(!address.ok() || !address.value().Text().empty(), "an address has a text");
    }
  }
}

void Everything(const Sys& sys, const std::string& name) {
  Result<bool> shared = ProbePortSharing(sys);
  Expect(shared.ok() && shared.value(), "ports are shared");
  for (const int family : {AF_INET, AF_INET6}) {
    TcpGroup(sys, family);
    UdpGroup(sys, family);
  }
  Watches(sys);
  Locks(sys, name);
  BoundName(sys, name + "-bound");
  Messages(sys);
  ThisProcess(sys);
  Owners(sys);
  Addresses();
  Result<std::vector<uint32_t>> cpus = GetCpus(sys);
  Expect(cpus.ok() && SetCpus(sys, cpus.value()).ok(), "CPUs are set");
  Expect(!SendToUnix(sys, "@" + name + "-nobody", "x").ok(), "a datagram to a name without a socket is refused");
}

// The number of entries in /proc/self/fd, which always includes the descriptor of that folder itself.
size_t OpenDescriptors() {
  size_t count = 0;
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  while (readdir(directory) != nullptr) count++;
  closedir(directory);
  return count;
}

// Makes each system call fail in turn. Returns the number of calls that failed.
long Exhaust(const std::string& name) {
  calls_left = -1;
  has_failed = false;
  Everything(kFailing, name);
  for (long call = 0;; call++) {
    calls_left = call;
    has_failed = false;
    Everything(kFailing, name);
    if (!has_failed) return call;
  }
}

int Run(int threads) {
  const size_t before = OpenDescriptors();
  std::vector<std::thread> running;
  std::atomic<long> failed{0};
  for (int i = 1; i < threads; i++) {
    running.emplace_back([i, &failed] {
      failed += Exhaust("reuseport-exercise-" + std::to_string(getpid()) + "-" + std::to_string(i));
    });
  }
  failed += Exhaust("reuseport-exercise-" + std::to_string(getpid()));
  for (std::thread& thread : running) thread.join();
  const size_t after = OpenDescriptors();
  std::printf("%d threads, %ld checks, %ld calls made to fail, %zu descriptors before and %zu after\n", threads,
              checks.load(), failed.load(), before, after);
  return before == after ? 0 : 1;
}

}  // namespace
}  // namespace reuseport

int main(int count, char** arguments) {
  return reuseport::Run(count > 1 ? std::atoi(arguments[1]) : 1);
}
