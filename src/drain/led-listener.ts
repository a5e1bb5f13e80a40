import { fstatSync } from 'node:fs'
import type net from 'node:net'
import { onLine } from '../common/lines.js'
import { pause } from '../common/waiting.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { peerOf } from '../native/peer.js'
import { connectionDescriptor } from '../node/adopt.js'
import { type FromListener, formatMessage, LONGEST_MESSAGE, parseFromListener } from './leader-messages.js'
import type { Led } from './led.js'

/** ms for a listener to say who it is. */
const JOINING = 1000

/** ms between two looks: what brings a descriptor is not read by Node. */
const POLL_INTERVAL = 2

/**
 * A listener of another process that joins a departure: it sends its descriptor.
 *
 * @param onGone Is told when the connection has ended.
 * @returns undefined where the peer is another user's process, or does not send a listener in time; the connection has
 *   then ended.
 */
export async function receiveListener(
  addon: Addon,
  socket: net.Socket,
  onGone: (led: Led) => void,
): Promise<Led | undefined> {
  const received = peerOf(addon, socket)?.isOwn === true ? await receive(addon, socket) : undefined
  if (received === undefined) {
    socket.destroy()
    return undefined
  }
  const { descriptor, inode, patience } = received
  const led: Led = {
    descriptor,
    inode,
    patience,
    isReady: false,
    tell: (order) => void (socket.writable && socket.write(formatMessage(order))),
    end: () => socket.destroy(),
  }
  socket.once('close', () => onGone(led))
  onLine(socket, LONGEST_MESSAGE, (line) => {
    if (parseOrNothing(line)?.type === 'ready') led.isReady = true
    else socket.destroy()
  })
  socket.resume()
  return led
}

type Received = Pick<Led, 'descriptor' | 'inode' | 'patience'>

async function receive(addon: Addon, socket: net.Socket): Promise<Received | undefined> {
  const end = performance.now() + JOINING
  for (let fd = connectionDescriptor(socket); fd !== undefined && performance.now() < end; ) {
    const received = addon.receiveDescriptor(fd)
    if (!('errno' in received)) return toListener(new OwnedDescriptor(addon, received.fd, 4), received.text)
    if (received.errno !== EAGAIN) return undefined
    await pause(POLL_INTERVAL)
    fd = connectionDescriptor(socket)
  }
  return undefined
}

const EAGAIN = -11

function toListener(descriptor: OwnedDescriptor, text: string): Received | undefined {
  try {
    const message = parseFromListener(text)
    if (message.type !== 'join') throw new TypeError('the first message is another one')
    return { descriptor, inode: fstatSync(descriptor.fd).ino, patience: message.patience }
  } catch {
    descriptor.close()
    return undefined
  }
}

function parseOrNothing(line: string): FromListener | undefined {
  try {
    return parseFromListener(line)
  } catch {
    return undefined
  }
}
