import { InvalidArgumentTypeError, InvalidArgumentValueError, ReusePortSocketError } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import { type OpenSocket, setOption, setRawOption } from './configure.js'
import { parseOne } from './raw-socket-options.js'
import { type OptionValue, readOption } from './read-option.js'
import { parseSocketOptions } from './socket-options.js'

/** The argument of `onSocket`. Its public types are `UnboundSocket` and `UnboundDatagramSocket`. */
export class ConfigurableSocket {
  readonly transport: Transport
  readonly family: 4 | 6
  readonly #socket: OpenSocket
  #expired = false

  constructor(socket: OpenSocket, transport: Transport) {
    this.#socket = socket
    this.transport = transport
    this.family = socket.family
  }

  get fd(): number {
    return this.#open().fd
  }

  getOption(name: string): OptionValue {
    return readOption(this.#open(), this.transport, name)
  }

  setOption(name: string, value: unknown): void {
    const socket = this.#open()
    const settings = parseSocketOptions({ [name]: value }, this.transport, socket.addon.socketOptions)
    if (settings.length === 0)
      throw new InvalidArgumentTypeError(`options.socketOptions.${name}`, 'a value for the option', value)
    for (const setting of settings) {
      if (setting.row.stage === 'creation') {
        const reason = 'must be given in socketOptions: it is chosen when the socket is created'
        throw new InvalidArgumentValueError(`options.socketOptions.${name}`, value, reason)
      }
      setOption(socket, setting)
    }
  }

  setRawOption(option: unknown): void {
    setRawOption(this.#open(), parseOne(option, 'rawSocketOption', ['before-bind']))
  }

  expire(): void {
    this.#expired = true
  }

  #open(): OpenSocket {
    if (this.#expired) throw new ReusePortSocketError('bound')
    return this.#socket
  }
}
