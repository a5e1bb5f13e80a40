#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Requests and results of the calls about this process (see convert/values.h).
namespace reuseport {

// A Float64Array.
std::optional<std::vector<uint32_t>> ToCpus(const Napi::Value& value);
Napi::Value FromCpus(Napi::Env env, const std::vector<uint32_t>& cpus);

struct ProcessSignal {
  int process;
  int signal;
};

// (fd, signal)
std::optional<ProcessSignal> ToProcessSignal(const Napi::CallbackInfo& info);

struct UnixDatagram {
  std::string to;
  std::string text;
};

// (to, text)
std::optional<UnixDatagram> ToUnixDatagram(const Napi::CallbackInfo& info);

}  // namespace reuseport
