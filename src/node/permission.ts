import process from 'node:process'

interface PermissionProcess {
  readonly permission?: { has(scope: string, reference?: string): boolean }
}

/**
 * Whether Node's permission model denies the network: `--permission` without `--allow-net`, on a Node that has that
 * flag. Older ones answer false for the scope, which they do not know, and restrict nothing.
 */
export function networkDenied(): boolean {
  const { permission } = process as PermissionProcess
  return permission !== undefined && process.allowedNodeEnvironmentFlags.has('--allow-net') && !permission.has('net')
}

/** Whether Node's permission model, where it is on, lets this path be read. */
export function mayRead(path: string): boolean {
  const { permission } = process as PermissionProcess
  return permission === undefined || permission.has('fs.read', path)
}
