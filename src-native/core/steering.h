#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/filter_program.h"
#include "core/result.h"
#include "core/shared_socket.h"
#include "core/sys.h"
#include "core/unique_fd.h"

// What a member can do about the choice of the kernel between the members of its group, without privileges. Each fails
// with ENOSYS where the system has nothing of the kind.
namespace reuseport {

// For the whole group, through any member that listens already; replaces the program that was there. Fails also with
// what CheckProgram() says.
Status AttachProgram(const Sys& sys, int fd, const Program& program);

// From then on the kernel chooses by hash. Done also where there was no program.
Status DetachProgram(const Sys& sys, int fd);

struct SlotProbe {
  std::vector<int> listeners;  // members whose slots are wanted
  SocketAddress target;        // where the group is reached from this machine
  uint32_t members;            // of the group
};

// The slot of each listener, or -1 where it could not be told for certain. No application sees a connection, and none
// is left half open. The program of the probe stays attached, and leaves all other connections to the hash; on failure
// there is none.
Result<std::vector<int>> LearnSlots(const Sys& sys, const SlotProbe& probe);

// Connections that wait in the queue of a listener to be accepted.
Result<uint32_t> WaitingConnections(const Sys& sys, int fd);

// The lowest TTL of packets that a listener takes, by which it answers no new connection or any.
struct MinTtls {
  int ipv4;
  int ipv6;
};

// What asks for a new connection at this listener gets no answer from now on, and asks again a second later: by then it
// may reach another member. Handshakes that have begun go on, but what is accepted meanwhile inherits the deafness,
// until AnswerNewConnections() of its own. SYNs of the highest TTL (255) are let through. Gives what was before.
Result<MinTtls> DeferNewConnections(const Sys& sys, int fd, int family);
Status AnswerNewConnections(const Sys& sys, int fd, int family, const MinTtls& before);

// Takes a listener out of its group, and the program of the group with it where `detach`; whatever waits in its queue
// is reset. Later calls on the socket fail.
Status LeaveGroup(const Sys& sys, int fd, int family, bool detach);

// A UDP socket takes datagrams of this sender alone from now on, and the kernel gives those of others to the rest of
// its group (Linux 5.4). A socket that is bound to every address then sends from the one by which it reaches the
// sender.
Status ConnectDatagram(const Sys& sys, int fd, const SocketAddress& sender);

// A descriptor of ours for a socket of another process (pidfd_getfd(2), Linux 5.6): ENOENT where it holds no such
// socket, EPERM where this user may not.
Result<UniqueFd> TakeSocket(const Sys& sys, int pid, uint64_t inode);

// Whether whoever is at the other end of a unix socket is a process of this user.
Result<bool> IsOwnPeer(const Sys& sys, int fd);

}  // namespace reuseport
