#include "convert/steering.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "addon/state.h"
#include "convert/sockets.h"
#include "convert/values.h"
#include "core/filter_program.h"
#include "core/steering.h"

namespace reuseport {
namespace {

Result<Program> Build(const ProgramRequest& request) {
  std::set<uint32_t> slots;
  for (const Share& share : request.shares) slots.insert(share.slot);
  switch (request.kind) {
    case ProgramKind::kUniform:
      return UniformProgram(slots);
    case ProgramKind::kWeighted:
      return WeightedProgram(request.shares);
    case ProgramKind::kCpu:
      break;
  }
  return CpuProgram(static_cast<uint32_t>(request.shares.size()));
}

Napi::Value BuildProgramCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<ProgramRequest> request = ToProgramRequest(info);
  if (!request) return env.Undefined();
  Result<Program> program = Build(*request);
  return program.ok() ? FromProgram(env, program.value()) : FromFailure(env, program.failure());
}

Napi::Value AttachProgramCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> fd = ToDescriptor(info);
  if (!fd) return env.Undefined();
  const std::optional<Program> program = ToProgram(info[1]);
  if (!program) return env.Undefined();
  bool to_socket = false;
  if (!info[2].IsUndefined() && !ToBoolean(info[2], "toSocket", &to_socket)) return env.Undefined();
  return FromStatus(env, AttachProgram(StateOf(env).sys, *fd, *program, to_socket));
}

Napi::Value DetachProgramCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> fd = ToDescriptor(info);
  if (!fd) return env.Undefined();
  return FromStatus(env, DetachProgram(StateOf(env).sys, *fd));
}

Napi::Value LearnSlotsCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::optional<SlotRequest> request = ToSlotRequest(info);
  if (!request) return env.Undefined();
  if (!request->target.ok()) return FromFailure(env, request->target.failure());
  const SlotProbe probe{std::move(request->listeners), request->target.value(), request->members, request->device};
  Result<std::vector<int>> slots = LearnSlots(StateOf(env).sys, probe);
  return slots.ok() ? FromSlots(env, slots.value()) : FromFailure(env, slots.failure());
}

Napi::Value AcceptQueueCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> fd = ToDescriptor(info);
  if (!fd) return env.Undefined();
  Result<AcceptQueue> queue = AcceptQueueOf(StateOf(env).sys, *fd);
  return queue.ok() ? FromAcceptQueue(env, queue.value()) : FromFailure(env, queue.failure());
}

Napi::Value DeferNewConnectionsCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<FamilyRequest> request = ToFamilyRequest(info);
  if (!request) return env.Undefined();
  Result<MinTtls> before = DeferNewConnections(StateOf(env).sys, request->fd, request->family);
  return before.ok() ? FromMinTtls(env, before.value()) : FromFailure(env, before.failure());
}

Napi::Value AnswerNewConnectionsCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<FamilyRequest> request = ToFamilyRequest(info);
  if (!request) return env.Undefined();
  const std::optional<MinTtls> before = ToMinTtls(info[2]);
  if (!before) return env.Undefined();
  return FromStatus(env, AnswerNewConnections(StateOf(env).sys, request->fd, request->family, *before));
}

Napi::Value LeaveGroupCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<LeaveRequest> request = ToLeaveRequest(info);
  if (!request) return env.Undefined();
  return FromStatus(env, LeaveGroup(StateOf(env).sys, request->fd, request->family, request->detach));
}

Napi::Value ConnectDatagramCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::optional<BindRequest> request = ToBindRequest(info);
  if (!request) return env.Undefined();
  if (!request->address.ok()) return FromFailure(env, request->address.failure());
  return FromStatus(env, ConnectDatagram(StateOf(env).sys, request->fd, request->address.value()));
}

constexpr Export kExports[] = {
    {"buildProgram", BuildProgramCall},
    {"attachProgram", AttachProgramCall},
    {"detachProgram", DetachProgramCall},
    {"learnSlots", LearnSlotsCall},
    {"acceptQueue", AcceptQueueCall},
    {"deferNewConnections", DeferNewConnectionsCall},
    {"answerNewConnections", AnswerNewConnectionsCall},
    {"leaveGroup", LeaveGroupCall},
    {"connectDatagram", ConnectDatagramCall},
};

}  // namespace

void InitSteering(Napi::Env env, Napi::Object exports) {
  Add(env, exports, kExports);
}

}  // namespace reuseport
