// The protocol between the processes that want a policy for a group: lines of JSON over the abstract unix socket of the
// keeper, the process that keeps the policy in force.
import type net from 'node:net'
import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import { ReusePortSteeringError } from '../common/errors.js'
import type { Deadline } from '../common/waiting.js'
import { type GroupName, steeringName } from '../group/lock.js'
import { connectAbstract } from '../native/abstract-socket.js'
import type { Addon } from '../native/addon-contract.js'
import { connectionDescriptor } from '../node/adopt.js'
import type { Steering, SteeringPolicy } from './steering-types.js'

/** A policy, and the time of the request on the clock that all processes share (ns, CLOCK_MONOTONIC). */
export interface Wish {
  readonly policy: SteeringPolicy
  readonly since: number
}

export type Answer = { readonly steering: Steering } | { readonly refused: string }

export type Message = Partial<Wish> & Partial<{ steering: Steering; refused: string }>

/** Tells the group's keeper, if there is one, that its program has been replaced: by a connection without a message. */
export function tellKeeper(addon: Addon, group: GroupName): void {
  const socket = connectAbstract(addon, steeringName('keeper', group))
  if (!('errno' in socket)) socket.on('error', () => {}).end()
}

/** Sends a wish to the group's keeper. @returns the keeper's answer; undefined if the group has no keeper. */
export async function askKeeper(
  addon: Addon,
  group: GroupName,
  wish: Wish,
  deadline: Deadline,
): Promise<Steering | undefined> {
  const socket = connectTo(addon, group)
  if (socket === undefined) return undefined
  try {
    return await ask(socket, wish, deadline, () => {})
  } finally {
    socket.destroy()
  }
}

/** ns of CLOCK_MONOTONIC, which is comparable between processes. */
export function now(): number {
  return Number(process.hrtime.bigint())
}

/**
 * Sends a wish to the keeper, and passes messages other than the answer to `onOther`.
 *
 * @returns undefined if the keeper closes the connection first.
 * @throws ReusePortSteeringError; the connection is then closed.
 */
export async function ask(
  socket: net.Socket,
  wish: Wish,
  deadline: Deadline,
  onOther: (message: Message) => void,
): Promise<Steering | undefined> {
  const answered = new Promise<Answer | undefined>((resolve) => {
    readMessages(socket, (message) => {
      if (message.steering !== undefined) resolve({ steering: message.steering })
      else if (message.refused !== undefined) resolve({ refused: message.refused })
      else onOther(message)
    })
    socket.once('close', () => resolve(undefined))
  })
  send(socket, wish)
  let answer: Answer | undefined | 'late'
  try {
    answer = await deadline.race(answered)
  } catch (error) {
    socket.destroy()
    throw error
  }
  if (answer !== undefined && answer !== 'late' && 'steering' in answer) return answer.steering
  socket.destroy()
  if (answer === undefined) return undefined
  throw new ReusePortSteeringError(
    answer === 'late' ? 'the process that keeps the policy did not answer in time' : answer.refused,
  )
}

/** @returns undefined if the group has no keeper. @throws ReusePortSteeringError if another user has bound its name. */
export function connectTo(addon: Addon, group: GroupName): net.Socket | undefined {
  const socket = connectAbstract(addon, steeringName('keeper', group))
  if (!('errno' in socket)) return socket.on('error', () => {})
  if (getSystemErrorName(socket.errno) === 'EACCES') throw new ReusePortSteeringError(STRANGER)
  return undefined
}

export const STRANGER = "a process of another user has bound the name of the policy keeper's unix socket"

export function isOwn(addon: Addon, socket: net.Socket): boolean {
  const fd = connectionDescriptor(socket)
  return fd !== undefined && addon.isOwnPeer(fd) === true
}

export function send(socket: net.Socket, message: Wish | Answer): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`)
}

/** Code units of UTF-16. */
const LONGEST_MESSAGE = 1 << 20

function toMessage(value: unknown): Message {
  if (typeof value !== 'object' || value === null) throw new TypeError('not a message')
  return value as Message
}

/** Each line is one message: a JSON object. Any other input, or a line that is too long, ends the connection. */
export function readMessages(socket: net.Socket, onMessage: (message: Message) => void): void {
  let text = ''
  socket.setEncoding('utf8').on('data', (part) => {
    const lines = `${text}${part}`.split('\n')
    text = lines.pop() ?? ''
    try {
      if (text.length > LONGEST_MESSAGE) throw new RangeError('too long')
      for (const line of lines) onMessage(toMessage(JSON.parse(line)))
    } catch {
      socket.destroy()
    }
  })
}
