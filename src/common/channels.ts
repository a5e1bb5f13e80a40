// Publishes on channels of node:diagnostics_channel. A message is built only where the channel has a subscriber.
import diagnostics from 'node:diagnostics_channel'

/** The names of the channels. */
export const CHANNELS = {
  listen: 'reuseport:listen',
  adopt: 'reuseport:adopt',
  fallback: 'reuseport:fallback',
  drain: 'reuseport:drain',
  join: 'reuseport:join',
  part: 'reuseport:part',
} as const

/** @internal Publishes the message that `make` returns. Publishes nothing where `make` returns undefined. */
export type Publish<Message> = (make: () => Message | undefined) => void

/** @internal */
export function publisher<Message>(name: (typeof CHANNELS)[keyof typeof CHANNELS]): Publish<Message> {
  const channel = diagnostics.channel(name)
  return (make) => {
    if (!channel.hasSubscribers) return
    const message = make()
    if (message !== undefined) channel.publish(message)
  }
}
