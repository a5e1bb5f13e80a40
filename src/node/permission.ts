import process from 'node:process'
import { AccessDeniedError } from '../common/errors.js'

interface PermissionProcess {
  readonly permission?: { has(scope: string, reference?: string): boolean }
}

export const NETWORK_DENIED = 'the permission model denies the network; add --allow-net'

/** Whether Node's permission model is on (`--permission`, `--experimental-permission`). */
export function isRestricted(): boolean {
  return (process as PermissionProcess).permission !== undefined
}

/**
 * Whether Node's permission model denies the network: `--permission` without `--allow-net`, on a Node that has this
 * flag (25 and later). An older Node answers false for the unknown scope 'net' although it does not restrict the network.
 */
export function networkDenied(): boolean {
  const { permission } = process as PermissionProcess
  return permission !== undefined && process.allowedNodeEnvironmentFlags.has('--allow-net') && !permission.has('net')
}

/** Whether this process may read the path: Node's permission model is off, or allows it. */
export function mayRead(path: string): boolean {
  const { permission } = process as PermissionProcess
  return permission === undefined || permission.has('fs.read', path)
}

/** @throws AccessDeniedError as Node's fs does. */
export function assertMayRead(path: string): void {
  if (!mayRead(path)) throw new AccessDeniedError('FileSystemRead', path)
}
