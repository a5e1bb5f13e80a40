#pragma once

#include <cstdint>

namespace reuseport {

// How the kernel takes a value.
enum class Wire {
  kFlag,          // int, 0 or 1
  kOctetFlag,     // the same, as an unsigned char at level IPPROTO_IP, which the BSDs insist on
  kInteger,       // int
  kOctet,         // int, an unsigned char at level IPPROTO_IP
  kText,          // characters, without a NUL
  kLinger,        // struct linger; -1 is off
  kAcceptFilter,  // struct accept_filter_arg
  kProtocol,      // the protocol that socket() was given: read only
};

enum class Stage { kCreation, kBeforeBind, kBeforeListen, kAfterListen };

struct KernelOption {
  int level;
  int name;  // kAbsent where this system lacks it, or the family has no such thing
};

struct SocketOption {
  const char* name;  // with a dot for a part of another option
  Wire wire;
  const char* unit;  // nullptr where there is none
  int64_t minimum;   // of the length, for text
  int64_t maximum;
  Stage stage;
  bool tcp;
  bool udp;
  KernelOption ipv4;
  KernelOption ipv6;
  bool inherited;          // by accepted sockets, on Linux
  const char* capability;  // what it may take on Linux; nullptr where nothing
  const char* systems;     // as process.platform names them, one blank between
  const char* manual;      // nullptr in packed binaries, as the next
  const char* about;
};

// Every option that can be given by name. TypeScript's types, its checks and the reference follow from this table
// (scripts/generate-options.mjs).
struct SocketOptionTable {
  const SocketOption* first;
  const SocketOption* last;

  const SocketOption* begin() const { return first; }
  const SocketOption* end() const { return last; }
};

SocketOptionTable SocketOptions();

}  // namespace reuseport
