// A connection to a supervisor: the process that the kernel names as the peer of a connection to its socket (SO_PEERCRED).
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { onLine } from '../common/lines.js'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { type Peer, peerOf, TELLS_PEERS } from '../native/peer.js'
import {
  type ControlCommand,
  formatRequest,
  isUnknownCommand,
  LONGEST_ANSWER,
  parseAnswer,
  parseStatus,
  type SupervisorStatus,
} from './control-protocol.js'
import { ControlError } from './errors.js'
import { ownUid, type RuntimeFolder } from './runtime-folder.js'
import { parseVitals, type SupervisorVitals } from './vitals-protocol.js'

/** ms for a connection, and for the first answer. */
const ANSWER = 1000

/** ms between two answers of a command that takes time: a supervisor says at least each second that it is at work. */
const PROGRESS = 10_000

/** The process that made the socket, in its own pid namespace, and what makes the name unique. */
export const SOCKET_NAME: RegExp = /^(\d{1,10})\.[0-9a-f]{16}\.sock$/

/** @throws ENOENT, ECONNREFUSED; ControlError where the kernel names another process than the file. */
export async function reach(folder: RuntimeFolder, name: string): Promise<ReachedSupervisor> {
  const state = loadAddon()
  if (!state.loaded) throw new ControlError(`the peer of a control socket is told by the addon: ${state.reason}`)
  const socket = net.connect(folder.fileIn(name))
  try {
    await within(ANSWER, 'it does not accept connections', (resolve, reject) => {
      socket.once('connect', resolve).once('error', reject)
    })
    const peer = TELLS_PEERS ? peerOf(state.addon, socket) : ownPeer(folder, name)
    if (peer === undefined) throw new ControlError('the kernel does not tell which process it belongs to')
    if (peer.uid !== folder.uid) {
      throw new ControlError(`a process of uid ${peer.uid} answers, in the folder of uid ${folder.uid}`)
    }
    if (folder.uid === ownUid() && !peer.isOwn) throw new ControlError('the kernel does not vouch for its user')
    const [, pid] = SOCKET_NAME.exec(name) ?? []
    if (peer.pid === 0) throw new ControlError('it runs in another pid namespace')
    if (Number(pid) !== innermostPid(peer.pid))
      throw new ControlError(`process ${peer.pid} answers, not process ${pid}`)
    return new ReachedSupervisor(state.addon, socket, peer)
  } catch (error) {
    socket.on('error', () => {}).destroy()
    throw error
  }
}

/** Where the kernel is not asked: in the folder of this user only this user can have made the socket. */
function ownPeer({ uid }: RuntimeFolder, name: string): Peer | undefined {
  const [, pid] = SOCKET_NAME.exec(name) ?? []
  return uid === ownUid() ? { pid: Number(pid), uid, isOwn: true } : undefined
}

/** The number that a process has in its own pid namespace. proc(5), NSpid */
function innermostPid(pid: number): number {
  try {
    const [, numbers = ''] = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(numbers.trim().split(/\s+/).at(-1) || pid)
  } catch {
    return pid
  }
}

/** @internal The supervisor does not know the command. */
export class EarlierVersionError extends ControlError {}

/** @internal A connection to a supervisor that the kernel has vouched for. It takes one command. */
export class ReachedSupervisor {
  readonly peer: Peer
  readonly #addon: Addon
  readonly #socket: net.Socket

  constructor(addon: Addon, socket: net.Socket, peer: Peer) {
    this.#addon = addon
    this.#socket = socket.on('error', () => {})
    this.peer = peer
  }

  /** The status, with the number by which this process knows the supervisor. @throws ControlError, Error */
  async status(): Promise<SupervisorStatus> {
    return this.#vouchFor(parsed(parseStatus, await this.request('status')))
  }

  /** The same for the vitals. */
  async vitals(): Promise<SupervisorVitals> {
    return this.#vouchFor(parsed(parseVitals, await this.request('vitals')))
  }

  #vouchFor<Status extends SupervisorStatus>(status: Status): Status {
    const { pid } = this.peer
    // A supervisor names workers for its own sockets only: it holds each of them.
    const named = status.workers.flatMap(({ sockets }) => sockets)
    const held = new Set(TELLS_PEERS ? this.#addon.heldBy(pid, Float64Array.from(named)) : named)
    const workers = status.workers.map((one) => ({ ...one, sockets: one.sockets.filter((inode) => held.has(inode)) }))
    return { ...status, pid, workers }
  }

  /** @returns what the answer holds. @throws ControlError; Error with what the supervisor refuses. */
  request(command: ControlCommand, argument?: string): Promise<unknown> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new ControlError('it does not answer in time'))
      let timer = setTimeout(late, ANSWER)
      const fail = (why: string): void => {
        clearTimeout(timer)
        reject(new ControlError(why))
      }
      socket.once('error', ({ message }) => fail(`its answer cannot be read: ${message}`))
      socket.once('close', () => fail('it closed the connection without an answer'))
      onLine(socket, LONGEST_ANSWER, (line) => {
        clearTimeout(timer)
        try {
          const answer = parseAnswer(line)
          if (answer.kind === 'done') resolve(answer.value)
          else if (answer.kind === 'failed') reject(refusal(command, answer.reason))
          // Only a command that takes time may say that it is at work.
          else if (command === 'status' || command === 'vitals') late()
          else timer = setTimeout(late, PROGRESS)
        } catch (error) {
          fail((error as Error).message)
        }
      })
      socket.write(formatRequest(command, argument))
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

function parsed<T>(parse: (value: unknown) => T, value: unknown): T {
  try {
    return parse(value)
  } catch (error) {
    throw new ControlError((error as Error).message)
  }
}

function refusal(command: ControlCommand, reason: string): Error {
  if (!isUnknownCommand(reason)) return new Error(reason)
  return new EarlierVersionError(`its version of this package is an earlier one, which does not know '${command}'`)
}

function within(
  ms: number,
  late: string,
  start: (resolve: () => void, reject: (error: Error) => void) => void,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  return new Promise<void>((resolve, reject) => {
    timer = setTimeout(() => reject(new ControlError(late)), ms)
    start(resolve, reject)
  }).finally(() => clearTimeout(timer))
}
