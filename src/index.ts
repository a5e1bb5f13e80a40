export type { AbortSignalLike } from './abort-signal.js'
export type { SocketAddressInfo } from './address.js'
export type { AddressHolder, AddressInUse } from './address-in-use.js'
export { bindReusePort } from './bind.js'
export type { BindReusePortOptions, UnsharedBindOptions } from './bind-types.js'
export { type Capabilities, capabilities } from './capabilities.js'
export type {
  ListenerConfiguration,
  RawDatagramSocketOption,
  RawSocketOption,
  UnboundDatagramSocket,
  UnboundSocket,
} from './configuration-types.js'
export type { AddressInUseReason } from './conflict.js'
export type { DatagramSocketOptions, DatagramSocketOptionValues } from './datagram-option-types.js'
export type { BindableSocket } from './datagram-socket.js'
export { drain } from './drain.js'
export type { DrainMessage } from './drain-channel.js'
export type { DrainMethod, DrainOptions, DrainReport } from './drain-types.js'
export { effectiveSocketOptions } from './effective-options.js'
export {
  type ListenError,
  ReusePortAddonError,
  ReusePortSocketError,
  ReusePortSteeringError,
  ReusePortUnknownOptionError,
  ReusePortUnsupportedError,
} from './errors.js'
export { inspectGroup, inspectGroups } from './group.js'
export { ReusePortGroupFullError, ReusePortInspectionError, ReusePortLockError } from './group-errors.js'
export type { Group, GroupFilter, GroupMember, GroupTarget } from './group-types.js'
export { listenReusePort } from './listen.js'
export type { AdoptMessage, FallbackMessage, ListenMessage } from './listen-channels.js'
export type {
  FallbackPolicy,
  ListenReusePortOptions,
  ReusePortSocketOptions,
  UnsharedListenOptions,
} from './listen-types.js'
export { openReusePortSocket } from './open-socket.js'
export {
  ReusePortOptionDeniedError,
  ReusePortOptionRefusedError,
  ReusePortOptionUnsupportedError,
} from './option-errors.js'
export { repairGroup } from './repair.js'
export type { ListenableServer } from './server.js'
export type { ReusePortSocket } from './socket.js'
export type { SocketOptions, SocketOptionValues } from './socket-option-types.js'
export { type SteerOptions, steer } from './steer.js'
export type { FilterInstruction, MemberName, Steering, SteeringOption, SteeringPolicy } from './steering-types.js'
export type { Semantics } from './systems.js'
