#pragma once

#include <napi.h>

#include <optional>
#include <string>

#include "core/peer.h"

// As convert/values.h, for other processes and what is sent to them.
namespace reuseport {

// { pid, uid, isOwn }
Napi::Value FromPeer(Napi::Env env, const Peer& peer);

// { uid, isOwn }
Napi::Value FromNameOwner(Napi::Env env, const NameOwner& owner);

struct SendRequest {
  int socket;
  int fd;
  std::string text;
};

// (socket, fd, text)
std::optional<SendRequest> ToSendRequest(const Napi::CallbackInfo& info);

// { fd, text }
Napi::Value FromReceived(Napi::Env env, int fd, const std::string& text);

}  // namespace reuseport
