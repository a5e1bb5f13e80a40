#include "convert/processes.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "addon/state.h"
#include "convert/values.h"
#include "core/process.h"

namespace reuseport {
namespace {

Napi::Value GetCpusCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Result<std::vector<uint32_t>> cpus = GetCpus(StateOf(env).sys);
  return cpus.ok() ? FromCpus(env, cpus.value()) : FromFailure(env, cpus.failure());
}

Napi::Value SetCpusCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<std::vector<uint32_t>> cpus = ToCpus(info[0]);
  if (!cpus) return env.Undefined();
  return FromStatus(env, SetCpus(StateOf(env).sys, *cpus));
}

Napi::Value OpenProcessCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> pid = ToPid(info[0]);
  if (!pid) return env.Undefined();
  AddonState& state = StateOf(env);
  return FromOwned(env, state, OpenProcess(state.sys, *pid));
}

Napi::Value SignalProcessCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<ProcessSignal> request = ToProcessSignal(info);
  if (!request) return env.Undefined();
  return FromStatus(env, SignalProcess(StateOf(env).sys, request->process, request->signal));
}

Napi::Value HasProcessEndedCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> process = ToDescriptor(info);
  if (!process) return env.Undefined();
  Result<bool> ended = HasProcessEnded(StateOf(env).sys, *process);
  return ended.ok() ? Napi::Value(Napi::Boolean::New(env, ended.value())) : FromFailure(env, ended.failure());
}

Napi::Value LeadProcessGroupCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return FromStatus(env, LeadProcessGroup(StateOf(env).sys));
}

Napi::Value WriteInBackgroundCall(const Napi::CallbackInfo& info) {
  return FromStatus(info.Env(), WriteInBackground());
}

Napi::Value SendToUnixCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<UnixDatagram> datagram = ToUnixDatagram(info);
  if (!datagram) return env.Undefined();
  return FromStatus(env, SendToUnix(StateOf(env).sys, datagram->to, datagram->text));
}

constexpr Export kExports[] = {
    {"getCpus", GetCpusCall},
    {"setCpus", SetCpusCall},
    {"openProcess", OpenProcessCall},
    {"signalProcess", SignalProcessCall},
    {"hasProcessEnded", HasProcessEndedCall},
    {"leadProcessGroup", LeadProcessGroupCall},
    {"writeInBackground", WriteInBackgroundCall},
    {"sendToUnix", SendToUnixCall},
};

}  // namespace

void InitProcesses(Napi::Env env, Napi::Object exports) {
  Add(env, exports, kExports);
}

}  // namespace reuseport
