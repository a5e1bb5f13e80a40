// The addon over a table of system calls in which a test can make the n-th call of a name fail.

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "addon/addon.h"
#include "convert/inspection.h"
#include "convert/steering.h"
#include "convert/values.h"
#include "core/filter_program.h"
#include "unix_calls.h"
#ifdef __linux__
#include <linux/filter.h>
#include <linux/netlink.h>

#include "platform/linux/dump_parser.h"
#endif

namespace {

struct Fault {
  int error;
  int after;  // calls that still succeed
  int times;  // calls that then fail
};

thread_local std::map<std::string, Fault> faults;
thread_local std::vector<std::string> calls;

bool Fails(const char* call) {
  calls.emplace_back(call);
  const auto found = faults.find(call);
  if (found == faults.end() || found->second.after-- != 0) return false;
  errno = found->second.error;
  found->second.after = 0;
  if (--found->second.times == 0) faults.erase(found);
  return true;
}

int Socket(int domain, int type, int protocol) {
  return Fails("socket") ? -1 : ::socket(domain, type, protocol);
}

int Ioctl(int fd, unsigned long request, int* value) {
  return Fails("ioctl") ? -1 : ::ioctl(fd, request, value);
}

int SetSockOpt(int fd, int level, int name, const void* value, socklen_t length) {
  return Fails("setsockopt") ? -1 : ::setsockopt(fd, level, name, value, length);
}

// The fault "short" makes the call report that the kernel wrote fewer bytes than requested.
int GetSockOpt(int fd, int level, int name, void* value, socklen_t* length) {
  if (Fails("getsockopt")) return -1;
  const int result = ::getsockopt(fd, level, name, value, length);
  if (faults.erase("short") != 0) *length = 2;
  return result;
}

int Bind(int fd, const sockaddr* address, socklen_t length) {
  return Fails("bind") ? -1 : ::bind(fd, address, length);
}

int Listen(int fd, int backlog) {
  return Fails("listen") ? -1 : ::listen(fd, backlog);
}

int Connect(int fd, const sockaddr* address, socklen_t length) {
  return Fails("connect") ? -1 : ::connect(fd, address, length);
}

int Accept(int fd, sockaddr* address, socklen_t* length) {
  return Fails("accept") ? -1 : reuseport::kSystem.accept(fd, address, length);
}

int Poll(struct pollfd* wanted, nfds_t count, int timeout_ms) {
  return Fails("poll") ? -1 : ::poll(wanted, count, timeout_ms);
}

int GetSockName(int fd, sockaddr* address, socklen_t* length) {
  return Fails("getsockname") ? -1 : ::getsockname(fd, address, length);
}

ssize_t SendTo(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t length) {
  return Fails("sendto") ? -1 : ::sendto(fd, data, size, flags, to, length);
}

// Any process may send to the netlink socket of another process. The fault "foreign" makes such a datagram arrive
// first; it claims that the dump is complete.
#ifdef __linux__
ssize_t ReceiveForeign(void* data, sockaddr* from, socklen_t* length) {
  const nlmsghdr end = {sizeof(nlmsghdr), NLMSG_DONE, NLM_F_MULTI, 1, 0};
  sockaddr_nl sender{};
  sender.nl_family = AF_NETLINK;
  sender.nl_pid = 4242;
  std::memcpy(data, &end, sizeof(end));
  std::memcpy(from, &sender, sizeof(sender));
  *length = sizeof(sender);
  return sizeof(end);
}
#else
ssize_t ReceiveForeign(void* /*data*/, sockaddr* /*from*/, socklen_t* /*length*/) {
  errno = ENOSYS;
  return -1;
}
#endif

ssize_t RecvFrom(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* length) {
  if (faults.erase("foreign") != 0) return ReceiveForeign(data, from, length);
  return Fails("recvfrom") ? -1 : ::recvfrom(fd, data, size, flags, from, length);
}

ssize_t SendMsg(int fd, const msghdr* message, int flags) {
  return Fails("sendmsg") ? -1 : ::sendmsg(fd, message, flags);
}

ssize_t RecvMsg(int fd, msghdr* message, int flags) {
  return Fails("recvmsg") ? -1 : ::recvmsg(fd, message, flags);
}

// "overflowuid" and "uid_map" make each user look ambiguous: as user 0 of a namespace that maps none.
ssize_t ReadFile(const char* path, char* text, size_t size) {
  if (Fails("read_file")) return -1;
  for (const char* name : {"overflowuid", "uid_map"}) {
    if (faults.count(name) == 0 || std::strstr(path, name) == nullptr) continue;
    faults.erase(name);
    return std::snprintf(text, size, "%s", name == std::string("uid_map") ? "" : std::to_string(geteuid()).c_str());
  }
  return reuseport::kSystem.read_file(path, text, size);
}

int Kill(pid_t pid, int signal) {
  return Fails("kill") ? -1 : ::kill(pid, signal);
}

int FStat(int fd, struct stat* status) {
  return Fails("fstat") ? -1 : ::fstat(fd, status);
}

int FChown(int fd, uid_t owner, gid_t group) {
  return Fails("fchown") ? -1 : ::fchown(fd, owner, group);
}

int Shutdown(int fd, int how) {
  return Fails("shutdown") ? -1 : ::shutdown(fd, how);
}

int Duplicate(int fd, int lowest) {
  return Fails("duplicate") ? -1 : reuseport::kSystem.duplicate(fd, lowest);
}

int PidFdOpen(int pid) {
  return Fails("pidfd_open") ? -1 : reuseport::kSystem.pidfd_open(pid);
}

int PidFdGetFd(int process, int fd) {
  return Fails("pidfd_getfd") ? -1 : reuseport::kSystem.pidfd_getfd(process, fd);
}

int PidFdSendSignal(int process, int signal) {
  return Fails("pidfd_send_signal") ? -1 : reuseport::kSystem.pidfd_send_signal(process, signal);
}

int SetPgid(pid_t pid, pid_t group) {
  return Fails("setpgid") ? -1 : ::setpgid(pid, group);
}

int GetCpuMask(size_t size, unsigned long* mask) {
  return Fails("get_cpus") ? -1 : reuseport::kSystem.get_cpus(size, mask);
}

int SetCpuMask(size_t size, const unsigned long* mask) {
  return Fails("set_cpus") ? -1 : reuseport::kSystem.set_cpus(size, mask);
}

int SocketPair(int domain, int type, int protocol, int* ends) {
  return Fails("socketpair") ? -1 : ::socketpair(domain, type, protocol, ends);
}

int StartThread(pthread_t* thread, void* (*run)(void*), void* argument) {
  return Fails("pthread_create") ? -1 : reuseport::kSystem.start_thread(thread, run, argument);
}

int EpollCreate1(int flags) {
  return Fails("epoll_create1") ? -1 : reuseport::kSystem.epoll_create1(flags);
}

int EpollCtl(int epoll, int operation, int fd, epoll_event* event) {
  return Fails("epoll_ctl") ? -1 : reuseport::kSystem.epoll_ctl(epoll, operation, fd, event);
}

// Closes the descriptor even if the call is made to fail, because Linux does the same.
int Close(int fd) {
  const bool fails = Fails("close");
  const int error = errno;
  const int result = ::close(fd);
  if (!fails) return result;
  errno = error;
  return -1;
}

// Only the thread of a watch calls epoll_wait(), which has faults of its own.
const reuseport::Sys kFaultySystem = {Socket,     Ioctl,        SetSockOpt,      GetSockOpt,
                                      Bind,       Listen,       Connect,         Accept,
                                      Poll,       GetSockName,  SendTo,          RecvFrom,
                                      SendMsg,    RecvMsg,      FStat,           FChown,
                                      Shutdown,   Duplicate,    Close,           ReadFile,
                                      SetPgid,    Kill,         SocketPair,      StartThread,
                                      PidFdOpen,  PidFdGetFd,   PidFdSendSignal, GetCpuMask,
                                      SetCpuMask, EpollCreate1, EpollCtl,        reuseport::kSystem.epoll_wait};

// injectFault(call, errno, after, times): the call succeeds `after` times, then fails `times` times.
Napi::Value InjectFault(const Napi::CallbackInfo& info) {
  const std::string call = info[0].As<Napi::String>();
  faults[call] = {info[1].As<Napi::Number>().Int32Value(), info[2].As<Napi::Number>().Int32Value(),
                  info[3].As<Napi::Number>().Int32Value()};
  return info.Env().Undefined();
}

// takeCalls(): the names of the calls since the previous takeCalls(). Also removes the faults that have not occurred.
Napi::Value TakeCalls(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (size_t i = 0; i < calls.size(); i++) names.Set(static_cast<uint32_t>(i), calls[i]);
  calls.clear();
  faults.clear();
  return names;
}

#ifdef __linux__
// attachUnchecked(fd, level, name, program): passes a program to the kernel without a check, and gives its answer.
Napi::Value AttachUnchecked(const Napi::CallbackInfo& info) {
  const auto program = reuseport::ToProgram(info[3]);
  if (!program) return info.Env().Undefined();
  sock_fprog filter{};
  filter.len = static_cast<unsigned short>(program->size());
  std::vector<sock_filter> instructions;
  for (const reuseport::Instruction& from : *program) {
    instructions.push_back({from.code, from.jump_true, from.jump_false, from.k});
  }
  filter.filter = instructions.data();
  const int result = ::setsockopt(info[0].As<Napi::Number>(), info[1].As<Napi::Number>(), info[2].As<Napi::Number>(),
                                  &filter, sizeof(filter));
  return result == 0 ? info.Env().Undefined() : reuseport::FromFailure(info.Env(), {errno, "setsockopt"});
}

// parseDump(bytes, sequence): the result of the parser for a datagram.
Napi::Value ParseDump(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = info[0].As<Napi::Uint8Array>();
  std::vector<reuseport::SocketRow> rows;
  reuseport::Result<reuseport::DumpProgress> progress =
      reuseport::ParseDump(bytes.Data(), bytes.ByteLength(), info[1].As<Napi::Number>().Uint32Value(), &rows);
  if (!progress.ok()) return reuseport::FromFailure(info.Env(), progress.failure());
  constexpr const char* kNames[] = {"more", "done", "interrupted", "malformed"};
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("progress", kNames[static_cast<int>(progress.value())]);
  result.Set("rows", reuseport::FromSocketRows(info.Env(), rows));
  return result;
}

void AddLinuxCalls(Napi::Env env, Napi::Object exports) {
  exports.Set("attachUnchecked", Napi::Function::New<AttachUnchecked>(env, "attachUnchecked"));
  exports.Set("parseDump", Napi::Function::New<ParseDump>(env, "parseDump"));
}
#else
void AddLinuxCalls(Napi::Env /*env*/, Napi::Object /*exports*/) {}
#endif

// buildProbe(kind, ports): the program of a probe. By 'port' the k-th port belongs to slot k; by 'payload' all ports
// ask.
Napi::Value BuildProbe(const Napi::CallbackInfo& info) {
  const bool by_payload = info[0].As<Napi::String>().Utf8Value() == "payload";
  const Napi::Array from = info[1].As<Napi::Array>();
  std::vector<reuseport::ProbePort> slots;
  std::vector<uint16_t> ports;
  for (uint32_t slot = 0; slot < from.Length(); slot++) {
    ports.push_back(static_cast<uint16_t>(from.Get(slot).As<Napi::Number>().Uint32Value()));
    slots.push_back({ports.back(), slot});
  }
  auto program = by_payload ? reuseport::PayloadProgram(ports) : reuseport::ProbeProgram(slots);
  if (!program.ok()) return reuseport::FromFailure(info.Env(), program.failure());
  return reuseport::FromProgram(info.Env(), program.value());
}

// checkProgram(program)
Napi::Value CheckProgram(const Napi::CallbackInfo& info) {
  const auto program = reuseport::ToProgram(info[0]);
  if (!program) return info.Env().Undefined();
  return reuseport::FromStatus(info.Env(), reuseport::CheckProgram(*program));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("injectFault", Napi::Function::New<InjectFault>(env, "injectFault"));
  exports.Set("takeCalls", Napi::Function::New<TakeCalls>(env, "takeCalls"));
  exports.Set("buildProbe", Napi::Function::New<BuildProbe>(env, "buildProbe"));
  AddUnixCalls(env, exports);
  exports.Set("checkProgram", Napi::Function::New<CheckProgram>(env, "checkProgram"));
  AddLinuxCalls(env, exports);
  return reuseport::InitAddon(env, exports, kFaultySystem);
}

}  // namespace

NODE_API_MODULE(test_faults, Init)
