import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { explainMissingAddon } from './addon-failure.js'
import { isCutShort } from './addon-file.js'
import type { SocketAddressInfo } from './address.js'
import type { SystemFailure } from './errors.js'
import type { SeenSocket } from './group-rows.js'
import type { OptionRow } from './socket-options.js'
import type { Transport } from './transport.js'

/** What src-native/addon.cc exports. Nothing throws but wrong types, which the callers rule out. */
export interface Addon {
  /** The option by which this system shares ports; null where it has none. */
  readonly option: 'SO_REUSEPORT' | 'SO_REUSEPORT_LB' | null
  readonly socketOptions: readonly OptionRow[]
  /** A socket that will share its port: its descriptor, which the addon closes at the end of the environment unless it is released. */
  openSocket(request: SocketRequest): number | SystemFailure
  /** Whether sockets of any user may bind the same address with SO_REUSEADDR. */
  setReuseAddress(fd: number, on: boolean): undefined | SystemFailure
  bind(fd: number, family: 4 | 6, address: string, port: number): undefined | SystemFailure
  /** `backlog`: 0 to 2^31 - 1. */
  listen(fd: number, backlog: number): undefined | SystemFailure
  /** ENOPROTOOPT where this system or family has no such option. `name` and `value` are as the table says. */
  setOption(fd: number, family: 4 | 6, name: string, value: number | string): undefined | SystemFailure
  getOption(fd: number, family: 4 | 6, name: string): number | string | SystemFailure
  setRawOption(fd: number, level: number, name: number, value: number | Uint8Array): undefined | SystemFailure
  /** The sockets of this network namespace; ENOSYS where the system does not tell. Linux: sock_diag(7). */
  dumpSockets(request: DumpRequest): readonly SocketRow[] | SystemFailure
  /** The same in a form for many: inode, port and index of the local address by turns in `rows`. */
  dumpConnections(request: DumpRequest): Connections | SystemFailure
  /** Pid and inode by turns: a process for each socket, as far as this user may see; this one first. Linux: proc(5). */
  findHolders(inodes: Float64Array): Float64Array
  /** Which of these sockets a process holds. */
  heldBy(pid: number, inodes: Float64Array): Float64Array
  /** Waits at most `timeout` ms. The lock is released by closing its descriptor. Linux: an abstract unix socket. */
  acquireLock(name: string, timeout: number): number | SystemFailure
  /**
   * A connection to whoever has the lock, which ends with it. ECONNREFUSED where nobody has it, EAGAIN where too many wait,
   * EACCES where another user has the name.
   */
  connectToLock(name: string): number | SystemFailure
  /**
   * A program that chooses between slots: each as often, by weight, or by the CPU that receives (there `slots` only says
   * how many). Four numbers for each instruction: code, jump where true, jump where false, k. E2BIG, EINVAL.
   */
  buildProgram(kind: 'uniform' | 'weighted' | 'cpu', slots: Float64Array, weights: Float64Array): ProgramWords
  /** For the whole group, through a member that listens. Linux: socket(7), SO_ATTACH_REUSEPORT_CBPF. */
  attachProgram(fd: number, program: Uint32Array): undefined | SystemFailure
  /** Done also where there was none. */
  detachProgram(fd: number): undefined | SystemFailure
  /** The slots of these members, -1 for one that could not be told; leaves the program of the probe attached. */
  learnSlots(
    listeners: Float64Array,
    family: 4 | 6,
    address: string,
    port: number,
    members: number,
  ): readonly number[] | SystemFailure
  /** In the queue of a listener. */
  waitingConnections(fd: number): number | SystemFailure
  /** What asks for a new connection is not answered from now on, and asks again a second later. Accepted sockets inherit it. */
  deferNewConnections(fd: number, family: 4 | 6): number | SystemFailure
  /** It is again. `before`: what `deferNewConnections` gave. */
  answerNewConnections(fd: number, family: 4 | 6, before: number): undefined | SystemFailure
  /** A listener leaves its group, `detach`: after the group's program; its queue is reset. */
  leaveGroup(fd: number, family: 4 | 6, detach: boolean): undefined | SystemFailure
  /** The handshakes under way, as text that is equal for equal ones. */
  dumpHandshakes(request: DumpRequest): readonly string[] | SystemFailure
  /** A UDP socket takes datagrams of this sender alone from now on. */
  connectDatagram(fd: number, family: 4 | 6, address: string, port: number): undefined | SystemFailure
  /** A descriptor for a socket of another process, owned as those of openSocket. Linux 5.6: pidfd_getfd(2). */
  takeSocket(pid: number, inode: number): number | SystemFailure
  /** Another descriptor for the same socket, owned as those of openSocket. */
  duplicate(fd: number): number | SystemFailure
  /** Whether a process of this user is at the other end of a unix socket. */
  isOwnPeer(fd: number): boolean | SystemFailure
  /** The CPUs that this thread may run on, and what it starts. ENOSYS where the system does not tell. Linux: sched_setaffinity(2). */
  getCpus(): Float64Array | SystemFailure
  setCpus(cpus: Float64Array): undefined | SystemFailure
  /** From now on signals of the terminal are not for this process. setpgid(2). */
  leadProcessGroup(): undefined | SystemFailure
  /** A datagram to a unix socket: its file, or '@' and its abstract name. unix(7). */
  sendToUnix(to: string, text: string): undefined | SystemFailure
  localAddress(fd: number): SocketAddressInfo | SystemFailure
  close(fd: number): undefined | SystemFailure
  /** From now on somebody else closes this descriptor. */
  release(fd: number): undefined | SystemFailure
  /** Binds two sockets to one port, and closes them: false where the second finds the port taken. */
  probe(): boolean | SystemFailure
}

export type ProgramWords = Uint32Array | SystemFailure

export interface SocketRequest {
  readonly transport: Transport
  readonly family: 4 | 6
  readonly ipv6Only: boolean
  /** MPTCP instead of TCP. */
  readonly multipath: boolean
}

export interface DumpRequest {
  readonly transport: Transport
  readonly family: 4 | 6
  /** A bit for each state of tcp_states.h. */
  readonly states: number
  /** Local; 0 for all. */
  readonly port: number
}

export interface Connections {
  readonly addresses: readonly string[]
  readonly rows: Float64Array
}

export interface SocketRow extends Omit<SeenSocket, 'protocol' | 'family'> {
  readonly state: number
}

/** Whether there is an addon; if not, why and what to do about it. */
export type AddonState =
  | { readonly loaded: true; readonly addon: Addon; readonly binary?: string }
  | { readonly loaded: false; readonly reason: string; readonly cause: unknown }

let state: AddonState | undefined

/** Loads the addon at its first use. A failure is kept, with its cause: it does not go away by trying again. */
export function loadAddon(): AddonState {
  state ??= tryToLoad()
  return state
}

interface Loader {
  /** The file that fits: of build/Release, where `reuseport build` puts it, or of prebuilds/. */
  resolve(root: string): string
}

function tryToLoad(): AddonState {
  try {
    const require = createRequire(import.meta.url)
    const binary = findBinary(require, fileURLToPath(new URL('..', import.meta.url)))
    return loadEither(require, binary, otherLibc(binary))
  } catch (cause) {
    return { loaded: false, reason: explainMissingAddon(cause, process), cause }
  }
}

function findBinary(require: NodeJS.Require, root: string): string {
  try {
    const loader: Loader = require('node-gyp-build')
    return resolveIn(loader, require, root)
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_ACCESS_DENIED') throw cause
    // It looks for Alpine's files, which the permission model forbids where it allows the package's folder alone.
    const name = process.platform === 'linux' ? 'reuseport.glibc.node' : 'reuseport.node'
    return path.join(root, 'prebuilds', `${process.platform}-${process.arch}`, name)
  }
}

/** A bundler may have put this module elsewhere; the package with the binaries may be installed all the same. */
function resolveIn(loader: Loader, require: NodeJS.Require, root: string): string {
  try {
    return loader.resolve(root)
  } catch (cause) {
    let installed: string
    try {
      installed = path.dirname(require.resolve('reuseport/package.json'))
    } catch {
      throw cause
    }
    return loader.resolve(installed)
  }
}

/** `loader.resolve` knows musl by Alpine's files; there are others. The wrong one does not load, and does no harm. */
function loadEither(require: NodeJS.Require, binary: string, other: string | undefined): AddonState {
  try {
    return load(require, binary)
  } catch (cause) {
    if (other === undefined || !existsSync(other)) throw cause
    try {
      return load(require, other)
    } catch {
      throw cause
    }
  }
}

function load(require: NodeJS.Require, binary: string): AddonState {
  if (isCutShort(binary)) throw Object.assign(new Error(`${binary}: file too short`), { code: 'ERR_DLOPEN_FAILED' })
  return { loaded: true, addon: require(binary), binary }
}

function otherLibc(binary: string): string | undefined {
  const found = /^(.*\.)(glibc|musl)\.node$/s.exec(binary)
  return found === null ? undefined : `${found[1]}${found[2] === 'musl' ? 'glibc' : 'musl'}.node`
}
