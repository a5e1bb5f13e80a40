#pragma once

#include <cstdint>

namespace reuseport {

// The form in which the kernel takes a value.
enum class Wire {
  kFlag,          // int, 0 or 1
  kOctetFlag,     // 0 or 1: an unsigned char at level IPPROTO_IP, which the BSDs require, otherwise an int
  kInteger,       // int
  kOctet,         // an unsigned char at level IPPROTO_IP, otherwise an int
  kText,          // characters, without a NUL
  kLinger,        // struct linger; -1 turns the option off
  kAcceptFilter,  // struct accept_filter_arg
  kProtocol,      // read only: the protocol that was passed to socket()
};

enum class Stage { kCreation, kBeforeBind, kBeforeListen, kAfterListen };

struct KernelOption {
  int level;
  int name;  // kAbsent if this system or this family has no such option
};

struct SocketOption {
  const char* name;  // "option.part" for a part of another option
  Wire wire;
  const char* unit;  // nullptr if the value has no unit
  int64_t minimum;   // for a text: of its length
  int64_t maximum;
  Stage stage;
  bool tcp;
  bool udp;
  KernelOption ipv4;
  KernelOption ipv6;
  bool inherited;          // whether accepted sockets inherit the option on Linux
  const char* capability;  // that Linux may require; nullptr if it requires none
  const char* systems;     // names of process.platform, separated by one blank
  const char* manual;      // this and `about` are nullptr in packed binaries
  const char* about;
};

// Every option that has a name in the API. TypeScript's types and the reference are generated from this table
// (scripts/generate-options.mjs), and TypeScript checks values against it.
struct SocketOptionTable {
  const SocketOption* first;
  const SocketOption* last;

  const SocketOption* begin() const { return first; }
  const SocketOption* end() const { return last; }
};

SocketOptionTable SocketOptions();

}  // namespace reuseport
