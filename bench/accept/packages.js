import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { cachedPackage } from '../../scripts/cached-package.mjs'

export const PM2 = '7.0.4'
export const NODE_UNIX_SOCKET = '0.2.7'

/** Installs it where it is missing. @returns {string} the URL of its main module */
export function unixSocketPackage() {
  const name = 'node-unix-socket'
  const modules = cachedPackage(name, NODE_UNIX_SOCKET)
  return pathToFileURL(createRequire(path.join(modules, 'x.js')).resolve(name)).href
}

/** Installs it where it is missing. @returns {string} the path of its command */
export function pm2Command() {
  return path.join(cachedPackage('pm2', PM2), 'pm2/bin/pm2')
}
