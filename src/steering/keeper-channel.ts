// The connections between the processes that want a policy for a group: to the abstract unix socket of the keeper, the
// process that keeps the policy in force.
import type net from 'node:net'
import process from 'node:process'
import { ReusePortSteeringError } from '../common/errors.js'
import { onLine } from '../common/lines.js'
import { type Deadline, pause } from '../common/waiting.js'
import { type GroupName, groupSocketName } from '../group/name.js'
import { connectAbstract, describeStranger, isStrangers } from '../native/abstract-socket.js'
import type { Addon } from '../native/addon-contract.js'
import {
  type Answer,
  formatMessage,
  LONGEST_MESSAGE,
  type Message,
  parseMessage,
  type Wish,
} from './keeper-messages.js'
import type { Steering } from './steering-types.js'

/** Another user has bound the name of the group's keeper. */
export class NameTakenError extends ReusePortSteeringError {}

/** Tells the group's keeper, if there is one, that its program has been replaced: by a connection without a message. */
export function tellKeeper(addon: Addon, group: GroupName): void {
  const socket = connectAbstract(addon, groupSocketName('keeper', group))
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
  onOther: (wish: Wish) => void,
): Promise<Steering | undefined> {
  const answered = new Promise<Answer | undefined>((resolve) => {
    readMessages(socket, (message) => {
      if ('steering' in message || 'refused' in message) resolve(message)
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
  const name = groupSocketName('keeper', group)
  const socket = connectAbstract(addon, name)
  if (!('errno' in socket)) return socket.on('error', () => {})
  if (isStrangers(socket)) throw new NameTakenError(describeStranger(addon, name))
  return undefined
}

export function send(socket: net.Socket, message: Message): void {
  if (socket.writable) socket.write(formatMessage(message))
}

/**
 * Each line is one message. Any other line, or one that is too long, ends the connection.
 *
 * @param refuse Is told why a line is not a message, before that.
 */
export function readMessages(
  socket: net.Socket,
  onMessage: (message: Message) => void,
  refuse: (reason: string) => void = () => {},
): void {
  onLine(socket, LONGEST_MESSAGE, (line) => {
    let message: Message
    try {
      message = parseMessage(line)
    } catch (error) {
      refuse((error as Error).message)
      socket.destroySoon()
      return
    }
    onMessage(message)
  })
}

/** ms between two attempts while a process of this user has bound the keeper's name and does not listen. */
const AGAIN = 5

/** @throws ReusePortSteeringError where the time is over. */
export async function waitForName(deadline: Deadline): Promise<void> {
  deadline.assertNotAborted()
  if (deadline.left() === 0) {
    throw new ReusePortSteeringError('the process that has bound the name of the policy keeper does not answer')
  }
  await pause(AGAIN)
}

/** What a follower is told of an error. */
export function reasonOf(error: unknown): string {
  if (error instanceof ReusePortSteeringError) return error.reason
  return error instanceof Error ? error.message : String(error)
}
