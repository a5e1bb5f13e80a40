/**
 * A member of a group: by a process that holds it (all of its sockets in the group), by the number of its socket, as
 * `inspectGroup` gives both, or by its slot: the position in the kernel's array, which is the order of listen() until a
 * member leaves; the last one then takes its place.
 */
export type MemberName = { readonly pid: number } | { readonly inode: number } | { readonly slot: number }

/** One instruction of classic BPF (`struct sock_filter`). */
export interface FilterInstruction {
  readonly code: number
  /** Instructions to pass over where the comparison is true. Default 0. */
  readonly jt?: number | undefined
  /** Likewise where it is false. Default 0. */
  readonly jf?: number | undefined
  /** Default 0. */
  readonly k?: number | undefined
}

/**
 * How the kernel chooses a member for a new connection:
 *
 * - `'hash'`: by a hash of the addresses and ports of both sides, as without this library.
 * - `'random'`: each as often as the others, also where few addresses connect.
 * - `cpu`: the member that belongs to the CPU which received the connection. Where this process may run on one CPU only and
 *   the kernel honours SO_INCOMING_CPU (Linux 6.2), this member takes what that CPU receives; otherwise what CPU c
 *   receives goes to slot c modulo the number of members.
 * - `weights`: in proportion; a member that is not named has weight 1.
 * - `exclude`: the others, each as often.
 * - `program`: as a classic BPF program says: 1 to 4096 instructions, run at the first byte of payload; it returns a slot,
 *   and a number that is none means the hash.
 */
export type SteeringPolicy =
  | 'hash'
  | 'random'
  | { readonly cpu: true }
  | { readonly weights: readonly (MemberName & { readonly weight: number })[] }
  | { readonly exclude: readonly MemberName[] }
  | { readonly program: readonly FilterInstruction[] }

/** The option `steering` of `listenReusePort`. */
export type SteeringOption =
  | SteeringPolicy
  | {
      readonly policy: SteeringPolicy
      /** Where it cannot be had, go on by hash instead of emitting an error. Default false. */
      readonly optional?: boolean | undefined
    }

/** What is in force. */
export interface Steering {
  /** `'hash'` also where another one was asked for that cannot be had: then `reason` says why. */
  readonly policy: SteeringPolicy
  /** By what the kernel chooses. */
  readonly method: 'hash' | 'program' | 'incoming-cpu'
  /** How many members there were. */
  readonly members: number
  /** The process that keeps it so when members come and go; undefined where there is nothing to keep. */
  readonly keeper: number | undefined
  readonly reason: string | undefined
}
