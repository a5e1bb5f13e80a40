// Channels of node:diagnostics_channel. A message is built only where a channel has a subscriber.
import diagnostics from 'node:diagnostics_channel'

/** Publishes what `make` returns, unless that is undefined. */
export type Publish<Message> = (make: () => Message | undefined) => void

export function publisher<Message>(name: string): Publish<Message> {
  const channel = diagnostics.channel(name)
  return (make) => {
    if (!channel.hasSubscribers) return
    const message = make()
    if (message !== undefined) channel.publish(message)
  }
}
