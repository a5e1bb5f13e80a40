/**
 * A name of one or more members of a group. A `pid` stands for all sockets of the group that the process holds; an
 * `inode` for one socket. `inspectGroup` gives both. A `slot` is the position of a socket in the kernel's array. Slots
 * follow the order of listen() until a member leaves; the member in the last slot then moves to the slot of the one
 * that left.
 */
export type MemberName = { readonly pid: number } | { readonly inode: number } | { readonly slot: number }

/** One instruction of classic BPF (`struct sock_filter`). */
export interface FilterInstruction {
  /** The operation, such as 0x06 (BPF_RET | BPF_K). */
  readonly code: number
  /** Instructions to skip if the comparison is true. Default 0. */
  readonly jt?: number | undefined
  /** Instructions to skip if the comparison is false. Default 0. */
  readonly jf?: number | undefined
  /** The operand of the instruction. Default 0. */
  readonly k?: number | undefined
}

/**
 * Every connection of a client goes to the same slot while the group keeps its number of members, at most 512. One member
 * more takes only its own share of the clients. When one leaves, the clients of its slot move, and those of the last slot.
 */
export interface ClientAddressPolicy {
  readonly by: 'client-address'
  /** How many bits of an IPv4 address tell clients apart, 1 to 32: with 24, a network is one client. Default 32. */
  readonly ipv4?: number | undefined
  /** The same for IPv6, 1 to 128; 64 for clients that change their address within their network. Default 128. */
  readonly ipv6?: number | undefined
}

/**
 * UDP: the member for a datagram follows from bytes of it, such as a connection ID, from whichever port it comes. A
 * datagram that ends before these bytes goes by the kernel's hash.
 */
export interface BytesPolicy {
  readonly by: 'bytes'
  /** Bytes of the datagram before these, 0 to 65535. */
  readonly offset: number
  /** 1 to 20 bytes, with a table 1 to 4. */
  readonly length: number
  /**
   * Up to 512 values, as numbers of which the first byte is the highest, and the slot of each; other values go by the
   * kernel's hash. Default: a hash of the bytes chooses among all members, with as few moves as by `'client-address'`.
   */
  readonly table?: readonly { readonly value: number; readonly slot: number }[] | undefined
  /** `'hash'`: packets of QUIC with a long header go by the kernel's hash. Default: as other datagrams. */
  readonly longHeaders?: 'hash' | undefined
}

/**
 * How the kernel chooses a member for a new connection (TCP) or a datagram (UDP):
 *
 * - `'hash'`: by a hash of the addresses and ports of both sides, as without this library.
 * - `'random'`: at random, with equal probability, even if few addresses connect.
 * - `'cpu'` or `{ cpu: true }`: the member that belongs to the CPU which received the connection. If this process may run on one CPU only
 *   and the kernel honours SO_INCOMING_CPU (Linux 6.2), this member gets the connections which that CPU receives.
 *   Otherwise a connection that CPU c receives goes to slot c modulo the number of members.
 * - `weights`: at random, in proportion to the weights (0 to 1000000). A member that is not named has weight 1.
 * - `exclude`: at random, with equal probability, among the members that are not named.
 * - `program`: by a classic BPF program of 1 to 4096 instructions, which starts at the first byte of payload and
 *   returns a slot. For a number that is not a slot the kernel uses the hash.
 * - `by`: always the same member for a client, by its address or by bytes that it sends.
 */
export type SteeringPolicy =
  | 'hash'
  | 'random'
  | 'cpu'
  | { readonly cpu: true }
  | { readonly weights: readonly (MemberName & { readonly weight: number })[] }
  | { readonly exclude: readonly MemberName[] }
  | { readonly program: readonly FilterInstruction[] }
  | ClientAddressPolicy
  | BytesPolicy

/** The option `steering` of `listenReusePort`. */
export type SteeringOption =
  | SteeringPolicy
  | {
      readonly policy: SteeringPolicy
      /** true: if the policy cannot be put in force, the kernel chooses by hash. Default false: emits `'error'`. */
      readonly optional?: boolean | undefined
    }

/** The policy that is in force, as `steer` reports it. */
export interface Steering {
  /** `'hash'` also if the requested policy could not be put in force: `reason` then says why. */
  readonly policy: SteeringPolicy
  /** The mechanism by which the kernel chooses. */
  readonly method: 'hash' | 'program' | 'incoming-cpu'
  /** The number of members when the policy was put in force. */
  readonly members: number
  /** The pid of the process that keeps the policy in force; undefined if no process does. */
  readonly keeper: number | undefined
  /** Why the policy could not be put in force; undefined where it is in force. */
  readonly reason: string | undefined
}
