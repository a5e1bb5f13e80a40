export type { SocketAddressInfo } from './address.js'
export type { AddressHolder, AddressInUse } from './address-in-use.js'
export { bindReusePort } from './bind.js'
export { type Capabilities, capabilities } from './capabilities.js'
export type { AdoptMessage, DrainMessage, FallbackMessage, ListenMessage } from './channels.js'
export type { AddressInUseReason } from './conflict.js'
export type { DatagramSocketOptions, DatagramSocketOptionValues } from './datagram-option-types.js'
export { drain } from './drain.js'
export type { DrainMethod, DrainOptions, DrainReport } from './drain-types.js'
export { effectiveSocketOptions } from './effective-options.js'
export {
  type ListenError,
  ReusePortAddonError,
  ReusePortGroupFullError,
  ReusePortInspectionError,
  ReusePortLockError,
  ReusePortSocketError,
  ReusePortSteeringError,
  ReusePortUnknownOptionError,
  ReusePortUnsupportedError,
} from './errors.js'
export { inspectGroup, inspectGroups } from './group.js'
export type { Group, GroupFilter, GroupMember, GroupTarget } from './group-types.js'
export { listenReusePort } from './listen.js'
export { openReusePortSocket } from './open-socket.js'
export {
  ReusePortOptionDeniedError,
  ReusePortOptionRefusedError,
  ReusePortOptionUnsupportedError,
} from './option-errors.js'
export { repairGroup } from './repair.js'
export type { ReusePortSocket } from './socket.js'
export type { SocketOptions, SocketOptionValues } from './socket-option-types.js'
export { type SteerOptions, steer } from './steer.js'
export type {
  FilterInstruction,
  MemberName,
  Steering,
  SteeringOption,
  SteeringPolicy,
} from './steering-types.js'
export type { Semantics } from './systems.js'
export type {
  AbortSignalLike,
  BindableSocket,
  BindReusePortOptions,
  FallbackPolicy,
  ListenableServer,
  ListenerConfiguration,
  ListenReusePortOptions,
  RawDatagramSocketOption,
  RawSocketOption,
  ReusePortSocketOptions,
  UnboundDatagramSocket,
  UnboundSocket,
  UnsharedBindOptions,
  UnsharedListenOptions,
} from './types.js'
