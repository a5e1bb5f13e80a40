#include "convert/steering.h"

#include <algorithm>
#include <string>

#include "convert/values.h"

namespace reuseport {
namespace {

constexpr size_t kWords = 4;  // of each instruction
constexpr uint32_t kHighestLimit = (1U << 21) - 1;

bool ToKind(const Napi::Value& value, ProgramKind* out) {
  std::string name;
  if (!ToText(value, "kind", &name)) return false;
  if (name == "uniform") {
    *out = ProgramKind::kUniform;
  } else if (name == "weighted") {
    *out = ProgramKind::kWeighted;
  } else if (name == "cpu") {
    *out = ProgramKind::kCpu;
  } else {
    return Refuse(value.Env(), "kind", "'uniform', 'weighted' or 'cpu'");
  }
  return true;
}

bool ToFds(Napi::Env env, const char* name, const std::vector<double>& numbers, std::vector<int>* out) {
  for (const double number : numbers) {
    if (!(number >= 0 && number <= INT32_MAX)) return Refuse(env, name, "descriptors");
    out->push_back(static_cast<int>(number));
  }
  return true;
}

}  // namespace

std::optional<ProgramRequest> ToProgramRequest(const Napi::CallbackInfo& info) {
  ProgramRequest request{};
  std::vector<double> slots;
  std::vector<double> weights;
  const bool read =
      ToKind(info[0], &request.kind) && ToNumbers(info[1], "slots", &slots) && ToNumbers(info[2], "weights", &weights);
  if (!read) return std::nullopt;
  if (slots.size() != weights.size()) {
    Refuse(info.Env(), "weights", "as long as slots");
    return std::nullopt;
  }
  for (size_t i = 0; i < slots.size(); i++) {
    if (!(slots[i] >= 0 && slots[i] < kByHash)) {
      Refuse(info.Env(), "slots", "in range");
      return std::nullopt;
    }
    request.shares.push_back({static_cast<uint32_t>(slots[i]), weights[i]});
  }
  return request;
}

std::optional<Program> ToProgram(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array) {
    Refuse(value.Env(), "program", "a Uint32Array");
    return std::nullopt;
  }
  const Napi::Uint32Array words = value.As<Napi::Uint32Array>();
  Program program;
  for (size_t i = 0; i + kWords <= words.ElementLength(); i += kWords) {
    if (words[i] > UINT16_MAX || words[i + 1] > UINT8_MAX || words[i + 2] > UINT8_MAX) {
      Refuse(value.Env(), "program", "made of numbers that fit an instruction");
      return std::nullopt;
    }
    program.push_back({static_cast<uint16_t>(words[i]), static_cast<uint8_t>(words[i + 1]),
                       static_cast<uint8_t>(words[i + 2]), words[i + 3]});
  }
  return program;
}

Napi::Value FromProgram(Napi::Env env, const Program& program) {
  std::vector<uint32_t> words;
  for (const Instruction& instruction : program) {
    words.insert(words.end(), {instruction.code, instruction.jump_true, instruction.jump_false, instruction.k});
  }
  return FromNumbers(env, words);
}

std::optional<SlotRequest> ToSlotRequest(const Napi::CallbackInfo& info) {
  std::vector<double> numbers;
  int family = 0;
  int port = 0;
  int members = 0;
  int device = 0;
  std::string text;
  const bool read = ToNumbers(info[0], "listeners", &numbers) && ToFamily(info[1], &family) &&
                    ToText(info[2], "address", &text) && ToInt(info[3], "port", 0, UINT16_MAX, &port) &&
                    ToInt(info[4], "members", 1, UINT16_MAX, &members) &&
                    ToInt(info[5], "device", 0, INT32_MAX, &device);
  if (!read) return std::nullopt;
  std::vector<int> listeners;
  if (!ToFds(info.Env(), "listeners", numbers, &listeners)) return std::nullopt;
  return SlotRequest{std::move(listeners), SocketAddress::Parse(family, text, static_cast<uint16_t>(port)),
                     static_cast<uint32_t>(members), device};
}

Napi::Value FromSlots(Napi::Env env, const std::vector<int>& slots) {
  Napi::Array array = Napi::Array::New(env, slots.size());
  for (size_t i = 0; i < slots.size(); i++) array.Set(static_cast<uint32_t>(i), slots[i]);
  return array;
}

Napi::Value FromAcceptQueue(Napi::Env env, const AcceptQueue& queue) {
  const uint64_t limit = std::min(queue.limit, kHighestLimit);
  return Napi::Number::New(env, static_cast<double>((limit << 32) + queue.waiting));
}

std::optional<FamilyRequest> ToFamilyRequest(const Napi::CallbackInfo& info) {
  FamilyRequest request{};
  if (!ToFd(info, &request.fd) || !ToFamily(info[1], &request.family)) return std::nullopt;
  return request;
}

std::optional<MinTtls> ToMinTtls(const Napi::Value& value) {
  int both = 0;
  if (!ToInt(value, "before", 0, UINT16_MAX, &both)) return std::nullopt;
  return MinTtls{both % 256, both / 256};
}

Napi::Value FromMinTtls(Napi::Env env, const MinTtls& ttls) {
  return Napi::Number::New(env, 256 * ttls.ipv6 + ttls.ipv4);
}

std::optional<LeaveRequest> ToLeaveRequest(const Napi::CallbackInfo& info) {
  LeaveRequest request{};
  if (!ToFd(info, &request.fd) || !ToFamily(info[1], &request.family)) return std::nullopt;
  if (!ToBoolean(info[2], "detach", &request.detach)) return std::nullopt;
  return request;
}

}  // namespace reuseport
