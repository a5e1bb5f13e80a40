import process from 'node:process'

interface PermissionProcess {
  readonly permission?: { has(scope: string, reference?: string): boolean }
}

/**
 * Whether Node's permission model denies the network: `--permission` without `--allow-net`, on a Node that has this
 * flag. An older Node answers false for the unknown scope 'net' although it does not restrict the network.
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
