// What the addon exports, and the rows and requests that go through it.
import type { SocketAddressInfo } from '../common/address.js'
import type { SystemFailure } from '../common/errors.js'
import type { Transport } from '../common/transport.js'

/** What src-native/addon exports. Nothing throws but wrong types, which the callers rule out. */
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

/** A socket as the kernel describes it. Linux: sock_diag(7). */
export interface SocketRow {
  readonly address: string
  readonly port: number
  /** Index of the interface that it is bound to; 0 where it is not. */
  readonly device: number
  readonly inode: number
  /** Hexadecimal. */
  readonly cookie: string
  readonly uid: number
  /** A listener: connections that wait, and how many may. Another: bytes received and not read. */
  readonly queued: number
  readonly limit: number
  /** Bytes. */
  readonly receiveBuffer: number | null
  readonly drops: number | null
  readonly ipv6Only: boolean | null
  readonly state: number
}

/** When an option is given to the socket. For UDP only before and after bind. */
export type Stage = 'creation' | 'before-bind' | 'before-listen' | 'after-listen' | 'after-bind'

/** A row of the table in src-native/core/option_table.cc. */
export interface OptionRow {
  /** With a dot for a part of another option. */
  readonly name: string
  readonly kind: 'boolean' | 'integer' | 'text' | 'time or false'
  readonly unit: string | null
  /** Of the length, for text. */
  readonly minimum: number
  readonly maximum: number
  readonly stage: Stage
  readonly tcp: boolean
  readonly udp: boolean
  /** Null where this system lacks it, or the family has no such thing. */
  readonly ipv4: KernelOption | null
  readonly ipv6: KernelOption | null
  /** Whether accepted sockets have it too. */
  readonly inherited: boolean
  readonly capability: string | null
  /** One blank between. */
  readonly systems: string
  /** Null in the binaries of the package: these two are what documentation is generated from. */
  readonly manual: string | null
  readonly about: string | null
}

interface KernelOption {
  readonly level: number
  readonly name: number
}
