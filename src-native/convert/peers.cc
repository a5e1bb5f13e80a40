#include "convert/peers.h"

#include "convert/values.h"

namespace reuseport {

Napi::Value FromPeer(Napi::Env env, const Peer& peer) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", peer.pid);
  object.Set("uid", peer.uid);
  object.Set("isOwn", peer.is_own);
  return object;
}

Napi::Value FromNameOwner(Napi::Env env, const NameOwner& owner) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("uid", owner.uid ? Napi::Number::New(env, *owner.uid) : env.Null());
  object.Set("isOwn", owner.is_own);
  return object;
}

std::optional<SendRequest> ToSendRequest(const Napi::CallbackInfo& info) {
  SendRequest request{};
  const bool read = ToInt(info[0], "socket", 0, INT32_MAX, &request.socket) &&
                    ToInt(info[1], "fd", 0, INT32_MAX, &request.fd) && ToText(info[2], "text", &request.text);
  if (!read) return std::nullopt;
  return request;
}

Napi::Value FromReceived(Napi::Env env, int fd, const std::string& text) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("fd", fd);
  object.Set("text", text);
  return object;
}

}  // namespace reuseport
