#include "unix_calls.h"

#ifdef __linux__
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <vector>

#include "convert/values.h"
#include "platform/linux/unix_name_parser.h"

namespace {

// parseUnixNames(bytes, sequence): what the parser makes of a datagram.
Napi::Value ParseUnixNames(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Uint8Array bytes = info[0].As<Napi::Uint8Array>();
  std::vector<reuseport::UnixName> names;
  reuseport::Result<reuseport::DumpProgress> progress =
      reuseport::ParseUnixNames(bytes.Data(), bytes.ByteLength(), info[1].As<Napi::Number>().Uint32Value(), &names);
  if (!progress.ok()) return reuseport::FromFailure(env, progress.failure());
  Napi::Array rows = Napi::Array::New(env, names.size());
  for (size_t i = 0; i < names.size(); i++) {
    Napi::Object row = Napi::Object::New(env);
    row.Set("type", names[i].type);
    row.Set("state", names[i].state);
    row.Set("name", names[i].name);
    row.Set("uid", names[i].uid ? Napi::Value(Napi::Number::New(env, *names[i].uid)) : env.Null());
    rows.Set(static_cast<uint32_t>(i), row);
  }
  constexpr const char* kNames[] = {"more", "done", "interrupted", "malformed"};
  Napi::Object result = Napi::Object::New(env);
  result.Set("progress", kNames[static_cast<int>(progress.value())]);
  result.Set("rows", rows);
  return result;
}

// socketPair(): two connected unix sockets, which the test closes.
Napi::Value SocketPair(const Napi::CallbackInfo& info) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) return info.Env().Undefined();
  Napi::Array fds = Napi::Array::New(info.Env());
  for (uint32_t i = 0; i < 2; i++) fds.Set(i, pair[i]);
  return fds;
}

// sendRaw(socket, text, fds): one message as it is, with up to eight descriptors. Gives how many bytes were sent.
Napi::Value SendRaw(const Napi::CallbackInfo& info) {
  std::string text = info[1].As<Napi::String>();
  const Napi::Array from = info[2].As<Napi::Array>();
  std::vector<int> fds;
  for (uint32_t i = 0; i < from.Length(); i++) fds.push_back(from.Get(i).As<Napi::Number>().Int32Value());
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    const size_t size = fds.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(rights), fds.data(), size);
  }
  const ssize_t sent = ::sendmsg(info[0].As<Napi::Number>().Int32Value(), &message, MSG_NOSIGNAL);
  return Napi::Number::New(info.Env(), static_cast<double>(sent));
}

}  // namespace

void AddUnixCalls(Napi::Env env, Napi::Object exports) {
  exports.Set("parseUnixNames", Napi::Function::New<ParseUnixNames>(env, "parseUnixNames"));
  exports.Set("socketPair", Napi::Function::New<SocketPair>(env, "socketPair"));
  exports.Set("sendRaw", Napi::Function::New<SendRaw>(env, "sendRaw"));
}
#else
void AddUnixCalls(Napi::Env /*env*/, Napi::Object /*exports*/) {}
#endif
