import { loadAddon } from '../native/addon.js'

/**
 * Lets this thread write to its terminal from the background, also where `stty tostop` is set. For a process that has a
 * listener for SIGTTOU: the terminal would send it for each attempt, and the write would never succeed. Does nothing
 * without the addon.
 */
export function writeInBackground(): void {
  const state = loadAddon()
  if (state.loaded) state.addon.writeInBackground()
}
