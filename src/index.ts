export type { SocketAddressInfo } from './address.js'
export { type Capabilities, capabilities } from './capabilities.js'
export {
  type ListenError,
  ReusePortAddonError,
  ReusePortSocketError,
  ReusePortUnknownOptionError,
  ReusePortUnsupportedError,
} from './errors.js'
export { listenReusePort } from './listen.js'
export { openReusePortSocket } from './open-socket.js'
export type { ReusePortSocket } from './socket.js'
export type { Semantics } from './systems.js'
export type {
  AbortSignalLike,
  FallbackPolicy,
  ListenableServer,
  ListenReusePortOptions,
  ReusePortSocketOptions,
  UnsharedListenOptions,
} from './types.js'
