/**
 * A name of one or more members of a group. A `pid` stands for all sockets of the group that the process holds; an
 * `inode` for one socket. `inspectGroup` gives both. A `slot` is the position of a socket in the kernel's array. Slots
 * follow the order of listen() until a member leaves; the member in the last slot then moves to the slot of the one
 * that left.
 */
export type MemberName = { readonly pid: number } | { readonly inode: number } | { readonly slot: number }

/** One instruction of classic BPF (`struct sock_filter`). */
export interface FilterInstruction {
  readonly code: number
  /** Instructions to skip if the comparison is true. Default 0. */
  readonly jt?: number | undefined
  /** Instructions to skip if the comparison is false. Default 0. */
  readonly jf?: number | undefined
  /** The operand of the instruction. Default 0. */
  readonly k?: number | undefined
}

/**
 * How the kernel chooses a member for a new connection:
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
 */
export type SteeringPolicy =
  | 'hash'
  | 'random'
  | 'cpu'
  | { readonly cpu: true }
  | { readonly weights: readonly (MemberName & { readonly weight: number })[] }
  | { readonly exclude: readonly MemberName[] }
  | { readonly program: readonly FilterInstruction[] }

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
  readonly reason: string | undefined
}
