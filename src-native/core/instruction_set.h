#pragma once

#include <cstdint>

// The instruction set of classic BPF, with the numbers of linux/bpf_common.h. They are the same on every system that
// has classic BPF.
namespace reuseport {

inline constexpr uint16_t kLoad = 0x00;
inline constexpr uint16_t kLoadIndex = 0x01;
inline constexpr uint16_t kStore = 0x02;
inline constexpr uint16_t kStoreIndex = 0x03;
inline constexpr uint16_t kArithmetic = 0x04;
inline constexpr uint16_t kJump = 0x05;
inline constexpr uint16_t kReturn = 0x06;
inline constexpr uint16_t kMisc = 0x07;
inline constexpr uint16_t kClass = 0x07;

inline constexpr uint16_t kReturnAccumulator = kReturn | 0x10;

// SKF_AD_OFF (linux/filter.h, where it is negative): loads from here on read data that is not in the packet.
inline constexpr uint32_t kAncillary = static_cast<uint32_t>(-0x1000);

}  // namespace reuseport
