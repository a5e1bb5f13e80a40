import process from 'node:process'
import { addressText } from '../common/address.js'
import { type Group, inspectGroups, repairGroup } from '../index.js'
import type { Output } from './ls.js'
import { paint, printable, toJson } from './terminal.js'

interface Fixed {
  readonly address: string
  readonly port: number
  readonly members: number
  /** How the kernel chooses among the members after the repair, for example `hash`. Undefined after an error. */
  readonly inForce: string | undefined
  readonly error: string | undefined
}

/** `reuseport doctor --fix`. */
export async function fix(ports: readonly number[], asJson: boolean, { stream, screen }: Output): Promise<number> {
  const all = await inspectGroups({ protocol: 'tcp', ...(ports.length > 0 && { ports }) })
  const groups = all.filter(({ members, uid }) => uid === process.geteuid?.() && members.length > 1)
  const fixed: Fixed[] = []
  for (const group of groups) fixed.push(await fixOne(group))
  if (asJson) stream.write(`${toJson({ groups: fixed }, 2)}\n`)
  else stream.write(report(fixed, (colour, text) => paint(screen(), colour, text)))
  return fixed.every(({ error }) => error === undefined) ? 0 : 1
}

async function fixOne(group: Group): Promise<Fixed> {
  const { address, port, members } = group
  const about = { address, port, members: members.length }
  try {
    const { keeper, method, policy } = await repairGroup({ host: address, port })
    const name = typeof policy === 'string' ? policy : Object.keys(policy).join()
    return { ...about, inForce: keeper === undefined ? method : `${name}, kept by process ${keeper}`, error: undefined }
  } catch (error) {
    return { ...about, inForce: undefined, error: error instanceof Error ? error.message : String(error) }
  }
}

function report(fixed: readonly Fixed[], painted: (colour: 'green' | 'red', text: string) => string): string {
  if (fixed.length === 0) return 'Nothing to repair: on these ports no group of this user has more than one member.\n'
  return fixed
    .map(({ address, error, inForce, members, port }) => {
      const where = addressText(address, port)
      const mark = error === undefined ? painted('green', '✓') : painted('red', '✗')
      return `${mark} tcp ${where}  ${members} members  ${printable(error ?? `by ${inForce}`)}\n`
    })
    .join('')
}
