export type { AbortSignalLike } from './common/abort-signal.js'
export type { SocketAddressInfo } from './common/address.js'
export { CHANNELS } from './common/channels.js'
export {
  type ListenError,
  ReusePortAddonError,
  ReusePortSocketError,
  ReusePortSteeringError,
  ReusePortUnknownOptionError,
  ReusePortUnsupportedError,
} from './common/errors.js'
export { bindReusePort } from './datagram/bind.js'
export type { BindReusePortOptions, UnsharedBindOptions } from './datagram/bind-types.js'
export type { DrainMessage } from './drain/channel.js'
export { drain } from './drain/drain.js'
export type { DrainMethod, DrainOptions, DrainReport } from './drain/drain-types.js'
export type { AddressInUseReason } from './group/conflict.js'
export { inspectGroup, inspectGroups } from './group/group.js'
export { ReusePortGroupFullError, ReusePortInspectionError, ReusePortLockError } from './group/group-errors.js'
export type { Group, GroupFilter, GroupMember, GroupTarget } from './group/group-types.js'
export type { AddressHolder, AddressInUse } from './listen/address-in-use.js'
export type { AdoptMessage, FallbackMessage, ListenMessage } from './listen/channels.js'
export type {
  AddressInUseError,
  ListenLookupError,
  ListenReusePortError,
  ListenSystemError,
} from './listen/error-types.js'
export { listenReusePort } from './listen/listen.js'
export type {
  FallbackPolicy,
  ListenHandle,
  ListenReusePortOptions,
  ReusePortSocketOptions,
  UnsharedListenOptions,
} from './listen/listen-types.js'
export { type ListeningOptions, listening } from './listen/listening.js'
export { openReusePortSocket } from './listen/open-socket.js'
export type { ReusePortSocket } from './listen/socket.js'
export type { BindableSocket } from './node/datagram-socket.js'
export type { ListenableServer } from './node/server.js'
export type {
  ListenerConfiguration,
  RawDatagramSocketOption,
  RawSocketOption,
  UnboundDatagramSocket,
  UnboundSocket,
} from './options/configuration-types.js'
export type { DatagramSocketOptions, DatagramSocketOptionValues } from './options/datagram-option-types.js'
export { effectiveSocketOptions } from './options/effective-options.js'
export {
  ReusePortOptionDeniedError,
  ReusePortOptionRefusedError,
  ReusePortOptionUnsupportedError,
} from './options/option-errors.js'
export type { SocketOptions, SocketOptionValues } from './options/socket-option-types.js'
export { repairGroup } from './steering/repair.js'
export { type SteerOptions, steer } from './steering/steer.js'
export type {
  BytesPolicy,
  ClientAddressPolicy,
  FilterInstruction,
  MemberName,
  Steering,
  SteeringOption,
  SteeringPolicy,
} from './steering/steering-types.js'
export { type Capabilities, capabilities } from './system/capabilities.js'
export type { Semantics } from './system/systems.js'
