#pragma once

#include <cstdint>
#include <string>

#include "core/option_table.h"
#include "core/result.h"
#include "core/sys.h"

namespace reuseport {

// A text for options that take one (IsText), otherwise a number.
struct OptionValue {
  int64_t number = 0;
  std::string text;
};

const SocketOption* FindSocketOption(const std::string& name);

bool IsText(Wire wire);

// ENOPROTOOPT if this system or this family has no such option.
Status SetSocketOption(const Sys& sys, int fd, int family, const SocketOption& option, const OptionValue& value);
Result<OptionValue> GetSocketOption(const Sys& sys, int fd, int family, const SocketOption& option);

// Passes the bytes to the kernel unchanged and unchecked.
Status SetRawOption(const Sys& sys, int fd, const KernelOption& kernel, const std::string& bytes);

}  // namespace reuseport
