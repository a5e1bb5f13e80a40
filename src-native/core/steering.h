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

// How a member, without privileges, influences which member of its group the kernel chooses. Each function fails with
// ENOSYS if the system has no such interface.
namespace reuseport {

// Attaches a program to the whole group, through any member that already listens. Replaces the program that was
// attached before. Also fails with the errors of CheckProgram().
// With `to_socket` it is the filter of this one socket instead (SO_ATTACH_FILTER), which says what the socket receives.
Status AttachProgram(const Sys& sys, int fd, const Program& program, bool to_socket = false);

// Removes the program of the group: the kernel then chooses by hash. Succeeds if no program was attached.
Status DetachProgram(const Sys& sys, int fd);

struct SlotProbe {
  std::vector<int> listeners;  // the members whose slots are asked for
  SocketAddress target;        // the address at which this machine reaches the group
  uint32_t members;            // the number of members of the group
  int device;                  // the index of the interface that the members are bound to; 0 for none
};

// The slot of each listener, or -1 if the probe could not determine it for certain. No application sees a connection of
// the probe, no connection is left half open, and no member but these listeners counts a drop (see slot_probe.cc). The
// program of the probe stays attached; it leaves all other connections to the hash. If the probe fails while its
// program is attached, it detaches the program.
Result<std::vector<int>> LearnSlots(const Sys& sys, const SlotProbe& probe);

struct AcceptQueue {
  uint32_t waiting;  // connections
  uint32_t limit;    // the backlog
};

// EINVAL for a socket that does not listen.
Result<AcceptQueue> AcceptQueueOf(const Sys& sys, int fd);

// The minimum TTL of packets that a listener takes (IP_MINTTL). It decides whether the listener answers SYNs.
struct MinTtls {
  int ipv4;
  int ipv6;
};

// From now on this listener leaves SYNs unanswered. The client sends its SYN again a second later, and the kernel may
// then choose another member. Handshakes that have begun go on. A socket that is accepted in the meantime inherits the
// minimum TTL, and so ignores packets of a lower TTL, until AnswerNewConnections() is called for it. SYNs with the
// highest TTL (255) pass. Returns the values from before.
Result<MinTtls> DeferNewConnections(const Sys& sys, int fd, int family);
Status AnswerNewConnections(const Sys& sys, int fd, int family, const MinTtls& before);

// Takes a listener out of its group. The kernel resets the connections in its accept queue. With `detach` the program
// of the group is removed first. Later calls on the socket fail.
Status LeaveGroup(const Sys& sys, int fd, int family, bool detach);

// From now on a UDP socket receives only the datagrams of this sender; the kernel gives those of other senders to the
// rest of the group (Linux 5.4). A socket that is bound to the wildcard address then sends from the local address by
// which it reaches the sender.
Status ConnectDatagram(const Sys& sys, int fd, const SocketAddress& sender);

// Copies the descriptor of a socket from another process into this one (pidfd_getfd(2), Linux 5.6). ENOENT if that
// process holds no such socket, EPERM if this user may not take it.
Result<UniqueFd> TakeSocket(const Sys& sys, int pid, uint64_t inode);

}  // namespace reuseport
