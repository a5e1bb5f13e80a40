#include "convert/processes.h"

#include "convert/values.h"

namespace reuseport {

std::optional<std::vector<uint32_t>> ToCpus(const Napi::Value& value) {
  std::vector<double> numbers;
  if (!ToNumbers(value, "cpus", &numbers)) return std::nullopt;
  std::vector<uint32_t> cpus;
  for (const double number : numbers) {
    if (!(number >= 0 && number <= UINT32_MAX)) {
      Refuse(value.Env(), "cpus", "in range");
      return std::nullopt;
    }
    cpus.push_back(static_cast<uint32_t>(number));
  }
  return cpus;
}

Napi::Value FromCpus(Napi::Env env, const std::vector<uint32_t>& cpus) {
  return FromNumbers(env, std::vector<double>(cpus.begin(), cpus.end()));
}

std::optional<ProcessSignal> ToProcessSignal(const Napi::CallbackInfo& info) {
  ProcessSignal request{};
  if (!ToFd(info, &request.process) || !ToInt(info[1], "signal", 0, INT32_MAX, &request.signal)) return std::nullopt;
  return request;
}

std::optional<UnixDatagram> ToUnixDatagram(const Napi::CallbackInfo& info) {
  UnixDatagram datagram;
  if (!ToText(info[0], "to", &datagram.to) || !ToText(info[1], "text", &datagram.text)) return std::nullopt;
  return datagram;
}

}  // namespace reuseport
