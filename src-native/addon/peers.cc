#include "convert/peers.h"

#include <optional>
#include <string>
#include <utility>

#include "addon/state.h"
#include "convert/values.h"
#include "core/descriptor_message.h"
#include "core/peer.h"

namespace reuseport {
namespace {

Napi::Value PeerOfCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> fd = ToDescriptor(info);
  if (!fd) return env.Undefined();
  Result<Peer> peer = PeerOf(StateOf(env).sys, *fd);
  return peer.ok() ? FromPeer(env, peer.value()) : FromFailure(env, peer.failure());
}

Napi::Value NameOwnerCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string name;
  if (!ToText(info[0], "name", &name)) return env.Undefined();
  Result<NameOwner> owner = OwnerOfName(StateOf(env).sys, name);
  return owner.ok() ? FromNameOwner(env, owner.value()) : FromFailure(env, owner.failure());
}

Napi::Value IsUidAmbiguousCall(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IsUidAmbiguous(StateOf(info.Env()).sys));
}

Napi::Value SendDescriptorCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<SendRequest> request = ToSendRequest(info);
  if (!request) return env.Undefined();
  return FromStatus(env, SendDescriptor(StateOf(env).sys, request->socket, request->fd, request->text));
}

Napi::Value ReceiveDescriptorCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<int> socket = ToDescriptor(info);
  if (!socket) return env.Undefined();
  AddonState& state = StateOf(env);
  Result<DescriptorMessage> message = ReceiveDescriptor(state.sys, *socket);
  if (!message.ok()) return FromFailure(env, message.failure());
  Result<int> fd = state.descriptors.Add(std::move(message.value().fd));
  return fd.ok() ? FromReceived(env, fd.value(), message.value().text) : FromFailure(env, fd.failure());
}

constexpr Export kExports[] = {
    {"peerOf", PeerOfCall},
    {"nameOwner", NameOwnerCall},
    {"isUidAmbiguous", IsUidAmbiguousCall},
    {"sendDescriptor", SendDescriptorCall},
    {"receiveDescriptor", ReceiveDescriptorCall},
};

}  // namespace

void InitPeers(Napi::Env env, Napi::Object exports) {
  Add(env, exports, kExports);
}

}  // namespace reuseport
