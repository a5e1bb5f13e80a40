// Publishes on channels of node:diagnostics_channel. A message is built only where the channel has a subscriber.
import diagnostics from 'node:diagnostics_channel'

/** Publishes the message that `make` returns. Publishes nothing where `make` returns undefined. */
export type Publish<Message> = (make: () => Message | undefined) => void

export function publisher<Message>(name: string): Publish<Message> {
  const channel = diagnostics.channel(name)
  return (make) => {
    if (!channel.hasSubscribers) return
    const message = make()
    if (message !== undefined) channel.publish(message)
  }
}
