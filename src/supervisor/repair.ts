import { addressText } from '../common/address.js'
import { repairGroup } from '../index.js'
import type { ListeningInfo } from './events.js'

/**
 * Repairs the groups of a worker that ended in the middle of its drain: the program that steered new connections around it
 * may still be in force, and would starve another member.
 *
 * @param warn Is told of a group that could not be repaired.
 */
export async function repairGroups(places: readonly ListeningInfo[], warn: (message: string) => void): Promise<void> {
  await Promise.all(
    places.map(({ address, port }) =>
      repairGroup({ port, host: address }).catch((error: unknown) => {
        const why = (error as Error).message
        warn(`the shares of ${addressText(address, port)} may stay uneven until the next drain or doctor --fix: ${why}`)
      }),
    ),
  )
}
