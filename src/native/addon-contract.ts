// The types of the addon's exports, requests and results.
import type { SocketAddressInfo } from '../common/address.js'
import type { SystemFailure } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import type { QueueCalls } from './queue-contract.js'

/**
 * The exports of src-native/addon. A failed system call is returned, not thrown. A function throws only for an argument of
 * the wrong type, which the callers rule out.
 */
export interface Addon extends QueueCalls {
  /** The socket option by which this system shares ports. Null where the system has no such option. */
  readonly option: 'SO_REUSEPORT' | 'SO_REUSEPORT_LB' | null
  readonly socketOptions: readonly OptionRow[]
  /**
   * Opens a socket that will share its port. The addon owns the descriptor and closes it at the end of the environment,
   * unless it is closed or released before.
   */
  openSocket(request: SocketRequest): number | SystemFailure
  /**
   * Opens a socket and binds it to a port that no socket has. From then on other sockets of this user may bind the port. It
   * never listens. The addon owns it as in `openSocket`.
   */
  reservePort(request: SocketRequest, address: string): number | SystemFailure
  /** Sets whether sockets of any user may bind the same address with SO_REUSEADDR. */
  setReuseAddress(fd: number, on: boolean): undefined | SystemFailure
  bind(fd: number, family: 4 | 6, address: string, port: number): undefined | SystemFailure
  /** `backlog`: 0 to 2^31 - 1. */
  listen(fd: number, backlog: number): undefined | SystemFailure
  /** `name` and `value` follow the table. ENOPROTOOPT where this system or family has no such option. */
  setOption(fd: number, family: 4 | 6, name: string, value: number | string): undefined | SystemFailure
  getOption(fd: number, family: 4 | 6, name: string): number | string | SystemFailure
  setRawOption(fd: number, level: number, name: number, value: number | Uint8Array): undefined | SystemFailure
  /** The sockets of this network namespace. ENOSYS where the system has no such interface. Linux: sock_diag(7). */
  dumpSockets(request: DumpRequest): readonly SocketRow[] | SystemFailure
  /** The same in a compact form: `rows` has three numbers per connection: inode, local port, index in `addresses`. */
  dumpConnections(request: DumpRequest): Connections | SystemFailure
  /**
   * One process for each socket, as pairs of pid and inode: this process where it holds the socket. Leaves out sockets
   * whose processes this user may not see. `except`: processes that do not count. Linux: proc(5).
   */
  findHolders(inodes: Float64Array, except?: Float64Array): Float64Array
  /** The inodes of those sockets that the process holds. */
  heldBy(pid: number, inodes: Float64Array): Float64Array
  /** Waits at most `timeout` ms. Closing the descriptor releases the lock. Linux: an abstract unix socket. */
  acquireLock(name: string, timeout: number): number | SystemFailure
  /**
   * Connects to the process that holds the lock. The connection ends when the lock is released. ECONNREFUSED where no
   * process holds the lock, EAGAIN where too many processes wait, EACCES where another user has the name.
   */
  connectToLock(name: string): number | SystemFailure
  /**
   * Builds a program that chooses a slot: each equally often, by weight, or by the CPU that receives the packet (for
   * `'cpu'` only the number of slots counts). Each instruction is four numbers: code, jump if true, jump if false, k.
   * E2BIG where the program has too many instructions, EINVAL where there is no slot.
   */
  buildProgram(kind: 'uniform' | 'weighted' | 'cpu', slots: Float64Array, weights: Float64Array): ProgramWords
  /**
   * Sets the program of the whole group, through a listening member. Linux: socket(7), SO_ATTACH_REUSEPORT_CBPF. With
   * `toSocket` it is the filter of this socket (SO_ATTACH_FILTER): it returns how many bytes of a packet the socket takes.
   */
  attachProgram(fd: number, program: Uint32Array, toSocket?: boolean): undefined | SystemFailure
  /** Removes the program of the group. Succeeds also where the group has no program. */
  detachProgram(fd: number): undefined | SystemFailure
  /**
   * The slots of these members, -1 for a slot that could not be learnt. Leaves the program of the probe attached. `family`
   * is that of the packets. `device`: the index of the interface that the members are bound to, 0 for none.
   */
  learnSlots(
    listeners: Float64Array,
    family: 4 | 6,
    address: string,
    port: number,
    members: number,
    device: number,
  ): readonly number[] | SystemFailure
  /**
   * From now on the listener answers no SYN, so a client sends it again a second later. Returns the setting before, for
   * `answerNewConnections`. Sockets that are accepted in the meantime inherit the new setting.
   */
  deferNewConnections(fd: number, family: 4 | 6): number | SystemFailure
  /** The listener answers SYNs again. `before`: the result of `deferNewConnections`. */
  answerNewConnections(fd: number, family: 4 | 6, before: number): undefined | SystemFailure
  /**
   * Takes a listener out of its group; the kernel resets the connections in its queue. With `detach`, removes the
   * program of the group first.
   */
  leaveGroup(fd: number, family: 4 | 6, detach: boolean): undefined | SystemFailure
  /** The handshakes under way: local port, local address, address and port of the client. The same text in every dump. */
  dumpHandshakes(request: DumpRequest): readonly string[] | SystemFailure
  /** From now on the UDP socket receives only datagrams of this sender. */
  connectDatagram(fd: number, family: 4 | 6, address: string, port: number): undefined | SystemFailure
  /** A descriptor for a socket of another process. The addon owns it as in `openSocket`. Linux 5.6: pidfd_getfd(2). */
  takeSocket(pid: number, inode: number): number | SystemFailure
  /** Another descriptor for the same socket, `lowest` (default 0) or above. The addon owns it as in `openSocket`. */
  duplicate(fd: number, lowest?: number): number | SystemFailure
  /** The process at the other end of a unix socket, as the kernel tells it. SO_PEERCRED, unix(7). */
  peerOf(fd: number): PeerRow | SystemFailure
  /**
   * Which user has bound an abstract unix socket of this name. ENOENT where none has; ENOSYS where the system does not
   * tell. A socket that only was bound is found by unix_diag (sock_diag(7)), whose owner Linux tells from 5.3 on.
   */
  nameOwner(name: string): NameOwner | SystemFailure
  /**
   * Whether a stranger may have the same number as this user: in a user namespace that maps neither all users nor this one.
   * Linux: user_namespaces(7).
   */
  isUidAmbiguous(): boolean
  /** A descriptor for a process, owned as those of openSocket. ESRCH, EPERM, ENOSYS. Linux 5.3: pidfd_open(2). */
  openProcess(pid: number): number | SystemFailure
  /** `fd`: what openProcess gave. ESRCH where it has ended. Linux 5.1: pidfd_send_signal(2). */
  signalProcess(fd: number, signal: number): undefined | SystemFailure
  /** Whether it has ended: also while it is a zombie. */
  hasProcessEnded(fd: number): boolean | SystemFailure
  /** Sends a descriptor and a text of 1 to 4096 bytes over a unix socket, as one message. SCM_RIGHTS, unix(7). */
  sendDescriptor(socket: number, fd: number, text: string): undefined | SystemFailure
  /**
   * Receives what sendDescriptor sent: the descriptor is owned as those of openSocket. EAGAIN where nothing has come,
   * ECONNRESET at the end of the connection, EBADMSG where a message has no descriptor, several, or is longer.
   */
  receiveDescriptor(socket: number): ReceivedDescriptor | SystemFailure
  /**
   * The CPUs that this thread, and the threads and processes that it starts, may run on. ENOSYS where the system has no
   * such interface. Linux: sched_setaffinity(2).
   */
  getCpus(): Float64Array | SystemFailure
  setCpus(cpus: Float64Array): undefined | SystemFailure
  /** Moves this process to a process group of its own, so that it gets no signals of the terminal. setpgid(2). */
  leadProcessGroup(): undefined | SystemFailure
  /**
   * Lets this thread, and those that it starts from now on, write to a terminal in the background, also where `stty tostop`
   * is set. tty(4)
   */
  writeInBackground(): undefined | SystemFailure
  /** Sends a datagram to a unix socket. `to` is its file, or '@' and its abstract name. unix(7). */
  sendToUnix(to: string, text: string): undefined | SystemFailure
  localAddress(fd: number): SocketAddressInfo | SystemFailure
  /**
   * Tells apart the descriptors of the addon that have the same number one after the other. 0 for a number that the addon
   * does not own.
   */
  claimOf(fd: number): number
  /** False also where other code has closed the descriptor. */
  isOwned(fd: number, claim: number): boolean
  /** EBADF where the addon does not own the descriptor, or `claim` is that of another one. Closes nothing then. */
  close(fd: number, claim?: number): undefined | SystemFailure
  /** The addon gives up the descriptor: from now on its new owner closes it. EBADF as for `close`. */
  release(fd: number, claim?: number): undefined | SystemFailure
  /** Binds two sockets to one port, of a loopback address where there is one, and closes both. False where the second bind fails with EADDRINUSE. */
  probe(): boolean | SystemFailure
}

export interface PeerRow {
  /** 0 where the pid namespace of this process does not see it. */
  readonly pid: number
  readonly uid: number
  /** Whether it is this user, not one that only looks so (`isUidAmbiguous`). */
  readonly isOwn: boolean
}

export interface NameOwner {
  /** Null where the kernel does not tell. */
  readonly uid: number | null
  readonly isOwn: boolean
}

export interface ReceivedDescriptor {
  readonly fd: number
  readonly text: string
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
  /** A bit mask of the states in tcp_states.h. */
  readonly states: number
  /** The local port, or 0 for all ports. */
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
  /** Index of the interface that the socket is bound to. 0 where it is bound to none. */
  readonly device: number
  readonly inode: number
  /** Hexadecimal. */
  readonly cookie: string
  readonly uid: number
  /** For a listener: the connections in its accept queue. For other sockets: the bytes received and not yet read. */
  readonly queued: number
  /** For a listener: the length of its accept queue. */
  readonly limit: number
  /** Bytes. */
  readonly receiveBuffer: number | null
  readonly drops: number | null
  readonly ipv6Only: boolean | null
  readonly state: number
}

/** When an option is set. For UDP only before and after bind. */
export type Stage = 'creation' | 'before-bind' | 'before-listen' | 'after-listen' | 'after-bind'

/** A row of the table in src-native/core/option_table.cc. */
export interface OptionRow {
  /** The name of a part contains a dot, such as `keepAlive.idle`. */
  readonly name: string
  readonly kind: 'boolean' | 'integer' | 'text' | 'time or false'
  readonly unit: string | null
  /** The range of the value. For text, the range of its length in bytes. */
  readonly minimum: number
  readonly maximum: number
  readonly stage: Stage
  readonly tcp: boolean
  readonly udp: boolean
  /** Null where this system lacks the option or the family has no such option. */
  readonly ipv4: KernelOption | null
  readonly ipv6: KernelOption | null
  /** Whether accepted sockets inherit the option, on Linux. */
  readonly inherited: boolean
  /** The capability that setting the option may need on Linux. */
  readonly capability: string | null
  /** Names of `process.platform`, separated by one blank. */
  readonly systems: string
  /** This and `about` are sources of the generated documentation. Null in the binaries of the package. */
  readonly manual: string | null
  readonly about: string | null
}

interface KernelOption {
  readonly level: number
  readonly name: number
}
