// Mistakes that the tests must notice (scripts/mutate.mjs): `to` replaces `from` in `file`, and one of `tests` must
// fail.

/** @typedef {{ file: string, from: string, to: string, tests: string[] }} Mutation */

const native = (file, from, to, ...tests) => ({
  file: `src-native/${file}`,
  from,
  to,
  tests: tests.map((name) => `test/${name}`),
})
const script = (file, from, to, ...tests) => ({
  file: `src/${file}`,
  from,
  to,
  tests: tests.map((name) => `test/${name}`),
})

/** @type {readonly Mutation[]} */
export const MUTATIONS = [
  // Descriptors.
  native('platform/socket_flags/open_socket.cc', ' | SOCK_CLOEXEC', '', 'integration/descriptors'),
  native('core/owned_descriptors.cc', 'if (IsStillOpen(owned)) sys_.close(owned.fd);', '', 'integration/threads'),
  native('core/owned_descriptors.cc', 'const bool open = IsStillOpen(*found);', 'const bool open = true;', 'native'),
  native('core/unique_fd.h', 'std::exchange(other.fd_, -1)', 'other.fd_', 'native', 'listen/socket.test'),
  script(
    'listen/socket.ts',
    "    this.#state = 'closed'\n    this.#addon.close(this.#fd)",
    "    this.#state = 'closed'",
    'integration/descriptors',
    'listen/socket.test',
  ),
  // Requests to the kernel, and its replies.
  native(
    'core/shared_socket.cc',
    'return EnableOption(sys, fd, SOL_SOCKET, kReusePortOption.name);',
    'return Done{};',
    'group/group.test',
  ),
  native('core/shared_socket.cc', 'if (second.failure().error == EADDRINUSE) return false;', '', 'native/faults'),
  native('core/socket_option.cc', 'if (length.value() != room) return Failure{EINVAL, "getsockopt"};', '', 'native'),
  native('platform/linux/netlink_reply.h', ' || header.nla_len > rest.size', '', 'native/dump-parser'),
  native('platform/linux/netlink_reply.h', 'if (header.nlmsg_seq != sequence) continue;', '', 'native/dump-parser'),
  native(
    'platform/linux/netlink_dump.cc',
    'if (sender_size != sizeof(sender) || sender.nl_pid != 0) continue;',
    '',
    'native',
  ),
  native(
    'core/address.cc',
    'if (text.find(\'\\0\') != std::string::npos) return Failure{EINVAL, "bind"};',
    '',
    'native',
  ),
  native('core/filter_check.cc', 'stored = kAll;', '', 'native/filter-program'),
  native('core/filter_program.cc', 'added = left_out;', '', 'native/filter-program'),
  native(
    'platform/linux/group_lock.cc',
    'if (connected && !IsOwn(sys, fd)) return Failure{EACCES, "bind"};',
    '',
    'native/lock-faults',
    'group/max-members.test',
    'integration/strangers',
  ),
  native(
    'platform/linux/group_lock.cc',
    'if (!connected && search->Finds()) return Failure{EACCES, "bind"};',
    '',
    'native/strangers',
  ),
  native(
    'platform/linux/abstract_name.cc',
    'if (!connected || IsFree(sys, name)) return',
    'if (!connected) return',
    'native/strangers',
  ),
  native('platform/linux/peer.cc', ' && (!IsUidAmbiguous(sys) || MaySignal(sys, peer.pid))', '', 'native/strangers'),
  native(
    'platform/linux/descriptor_message.cc',
    'if (!is_whole || taken.size() != 1) return',
    'if (taken.empty()) return',
    'native/descriptor-message',
  ),
  native(
    'platform/linux/syn_probe.cc',
    '*agrees = info.tcpi_state == TCP_SYN_SENT;',
    '*agrees = true;',
    'native/slots',
  ),
  native(
    'platform/linux/slot_probe.cc',
    'Status lowered = raised_.Lower(i);',
    'Status lowered = Done{};',
    'native/slots',
  ),
  script('steering/targets.ts', '|| mapped !== undefined ? 4 : 6', "|| mapped === '' ? 4 : 6", 'unit/core-failures'),
  // Listening as Node does.
  script('listen/socket.ts', "syscall !== 'listen'", "syscall !== 'nothing'", 'native/faults'),
  script('native/addon-file.ts', '< sectionHeaders + header', '> sectionHeaders + header', 'native/loading.test'),
  script(
    'native/addon.ts',
    'if (other === undefined || !existsSync(other)) throw cause',
    'if (other === undefined || existsSync(other)) throw cause',
    'native/loading.test',
  ),
  // A drain that loses nothing.
  script(
    'drain/departure.ts',
    'await waitWhile(times.grace, times, () => leaver.isListening())',
    'await undefined',
    'drain/drain.test',
  ),
  script(
    'drain/finishing.ts',
    'const open = await finishHandshakes(listener, seen, leaver, times)',
    'const open = await finishHandshakes(listener, new Set(), leaver, times)',
    'drain/drain.test',
  ),
  native(
    'platform/linux/steering.cc',
    'Status detached = detach ? DetachProgram(sys, fd) : Done{};',
    'Status detached = Done{};',
    'drain/drain.test',
  ),
  // A supervisor that loses nothing.
  script(
    'supervised/worker.ts',
    'handOver: kept.includes(id)',
    'handOver: !kept.includes(id)',
    'supervisor/supervisor.test',
  ),
  script('common/ending-signals.ts', 'now - this.#first < ONE_WISH', 'now < ONE_WISH', 'common/ending-signals.test'),
  script(
    'supervised/worker.ts',
    "this.#heard.hear() === 'at once'",
    "this.#heard.hear() !== 'first'",
    'supervised/supervised.test',
  ),
  script('node/withheld-close.ts', '    withheld.hasEnded = true\n', '', 'node/withheld-close.test'),
  script('supervisor/pool.ts', " || outcome.failure.why === 'stopped'", '', 'supervisor/pool.test'),
  script(
    'supervisor/register.ts',
    "return isKept ? [{ type: 'close', id }] : []",
    'return []',
    'supervisor/register.test',
  ),
  script('supervisor/register.ts', '(own.get(place) ?? 0) >= count', 'own.has(place)', 'supervisor/register.test'),
  script(
    'supervisor/register.ts',
    'if (waits && this.#slots.get(entry.slot) === worker) this.#slots.set(entry.slot, undefined)',
    '',
    'supervisor/pool.test',
  ),
  script('supervisor/register.ts', 'if (waits && this.#slots', 'if (this.#slots', 'supervisor/register.test'),
  script('supervisor/register.ts', 'this.#workers.get(worker)?.asked.delete(id)', '', 'supervisor/pool.test'),
  script('supervisor/register.ts', 'let slot = 0', 'let slot = this.#slots.size', 'supervisor/register.test'),
  script('supervisor/register.ts', 'isKept && this.#sockets.has(id)', 'isKept', 'supervisor/register.test'),
  script(
    'supervisor/grants.ts',
    'if (grant.opener === worker) grant.opener = undefined\n      return this.#next(key, grant) ?? []',
    'return this.#next(key, grant) ?? []',
    'supervisor/register.test',
  ),
  script(
    'supervisor/running-worker.ts',
    'if (this.threadId === undefined) timer =',
    'timer =',
    'supervisor/running-worker.test',
  ),
  script(
    'supervised/inherited.ts',
    'ids.includes(id) && !this.#taken.has(id)',
    'ids.includes(id)',
    'supervised/inherited.test',
  ),
  script(
    'supervisor/restart.ts',
    'isEarly ? slot.earlyDeaths + 1 : 0',
    'isEarly ? 1 : 0',
    'supervisor/running-worker.test',
  ),
  script('supervised/one-socket.ts', 'this.#latest.get(server) !== want || ', '', 'supervised/supervised.test'),
  script(
    'steering/keeper.ts',
    'return !isStillMember(',
    'return this.#member.fd < 0 && isStillMember(',
    'steering/keeper.test',
  ),
  script(
    'steering/policy-in-force.ts',
    'if (!isStillMember(member)) throw',
    'if (isStillMember(member) && member.fd < 0) throw',
    'unit/core-failures',
  ),
  script('steering/keeper.ts', 'since > own.since && ', '', 'steering/keeper.test'),
  script('steering/keeper.ts', 'if (wish !== this.#wish) this.#listening?.tellAll(wish)', '', 'steering/keeper.test'),
  script(
    'steering/keeper.ts',
    'if (this.#wish === undefined) this.stop()',
    'if (this.#wish !== null) this.stop()',
    'steering/keeper.test',
  ),
  script('cli/prefix.ts', 'source.from.pause()', '', 'cli/prefix.test'),
  script(
    'supervisor/changes.ts',
    'if (!known.isByOthers && known.rounds',
    'if (known.isByOthers && known.rounds',
    'supervisor/watch.test',
  ),
  script('supervisor/watch.ts', '?.identity !== identity) {', '?.identity === identity) {', 'supervisor/watch.test'),
  script('system/program-removal.ts', 'reason: isUnknown ?', 'reason: !isUnknown ?', 'system/program-removal.test'),
  // What other processes write.
  script(
    'supervisor/messages.ts',
    'value.length <= MOST) return [...value]',
    'value.length <= MOST) return value',
    'supervisor/messages.test',
  ),
  script(
    'supervisor/control-protocol.ts',
    'Number.isSafeInteger(value) && value >= 0',
    'Number.isSafeInteger(value)',
    'supervisor/control-protocol.test',
  ),
  script('common/lines.ts', 'if (socket.destroyed) return', '', 'common/lines.test'),
]
