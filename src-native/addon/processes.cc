#include "addon/state.h"
#include "convert/values.h"
#include "core/process.h"

namespace reuseport {
namespace {

bool ToCpus(const Napi::Value& value, std::vector<uint32_t>* out) {
  std::vector<double> numbers;
  if (!ToNumbers(value, "cpus", &numbers)) return false;
  for (const double number : numbers) {
    if (!(number >= 0 && number <= UINT32_MAX)) return Refuse(value.Env(), "cpus", "in range");
    out->push_back(static_cast<uint32_t>(number));
  }
  return true;
}

Napi::Value GetCpusCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Result<std::vector<uint32_t>> cpus = GetCpus(StateOf(env).sys);
  if (!cpus.ok()) return FromFailure(env, cpus.failure());
  return FromNumbers(env, std::vector<double>(cpus.value().begin(), cpus.value().end()));
}

Napi::Value SetCpusCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<uint32_t> cpus;
  if (!ToCpus(info[0], &cpus)) return env.Undefined();
  return FromStatus(env, SetCpus(StateOf(env).sys, cpus));
}

Napi::Value LeadProcessGroupCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return FromStatus(env, LeadProcessGroup(StateOf(env).sys));
}

Napi::Value SendToUnixCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string to;
  std::string text;
  if (!ToText(info[0], "to", &to) || !ToText(info[1], "text", &text)) return env.Undefined();
  return FromStatus(env, SendToUnix(StateOf(env).sys, to, text));
}

constexpr Export kExports[] = {
    {"getCpus", Entry<GetCpusCall>},
    {"setCpus", Entry<SetCpusCall>},
    {"leadProcessGroup", Entry<LeadProcessGroupCall>},
    {"sendToUnix", Entry<SendToUnixCall>},
};

}  // namespace

void InitSupervision(Napi::Env env, Napi::Object exports) {
  Add(env, exports, kExports);
}

}  // namespace reuseport
