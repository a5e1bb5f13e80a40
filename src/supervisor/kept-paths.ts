import type { ListenWish } from '../listen/supervision.js'
import { openPath, type PathRefusal } from './kept-path.js'
import { type AnyKept, isOnPort, type KeptPath } from './kept-socket.js'
import type { PathAccess } from './protocol.js'

/** The unix sockets among those that the supervisor keeps. */
export class KeptPaths {
  readonly #all: () => Iterable<AnyKept>
  #opened = 0

  constructor(all: () => Iterable<AnyKept>) {
    this.#all = all
  }

  /** The socket of this path, which is opened where none is kept. */
  open(wish: ListenWish, access: PathAccess): KeptPath | PathRefusal {
    const known = this.#paths().find(({ path }) => path === wish.address)
    return known === undefined ? openPath(`path:${this.#opened++}`, wish, access) : (known.look() ?? known)
  }

  /** Puts back what a program has removed. */
  look(): void {
    for (const path of this.#paths()) path.look()
  }

  #paths(): readonly KeptPath[] {
    return [...this.#all()].flatMap((kept) => (isOnPort(kept) ? [] : kept))
  }
}
