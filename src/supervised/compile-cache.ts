import module from 'node:module'
import type { Link } from './link.js'

/** Node 22.8; the last one 22.10. */
interface CompileCacheModule {
  readonly constants?: { readonly compileCacheStatus: { readonly ENABLED: number } }
  enableCompileCache?(folder: string): { readonly status: number }
  flushCompileCache?(): void
}

/**
 * The worker compiles from the cache of its supervisor, unless one is in use already or forbidden (NODE_COMPILE_CACHE,
 * NODE_DISABLE_COMPILE_CACHE, the permission model). It writes what is new once it is ready: when it has answered the
 * question that every worker gets last. Node itself does so at the exit, of which a signal lets nothing happen.
 *
 * @returns the link to use from now on.
 */
export function withCompileCache(link: Link): Link {
  const folder = link.configuration.compileCache
  const { enableCompileCache, flushCompileCache, constants } = module as unknown as CompileCacheModule
  if (folder === undefined || enableCompileCache === undefined || flushCompileCache === undefined) return link
  if (enableCompileCache(folder).status !== constants?.compileCacheStatus.ENABLED) return link
  return {
    ...link,
    send(message, ...more) {
      link.send(message, ...more)
      if (message.type === 'released') flushCompileCache()
    },
  }
}
