// The folders in which supervisors have their control sockets: `<tmpdir>/reuseport-<uid>`, of mode 0700. Anybody can make
// a folder of that name, or a link, before its user does: a folder is opened without following a link, then its owner and
// mode are looked at, and from then on it is reached through that descriptor, whatever becomes of its name.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  opendirSync,
  openSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'

/** How many names are read: whoever fills a folder may be hostile to the process that reads it. */
const MOST_FOLDERS = 100_000
/** Folders of other users. */
const MOST_OTHERS = 256
const MOST_SOCKETS = 4096

/** Linux: a path through a descriptor is short (sun_path has 108 bytes), and leads to that folder alone. proc(5) */
const DESCRIPTORS = '/proc/self/fd'

const FOLDER = /^reuseport-(\d{1,10})(-[A-Za-z0-9]{6})?$/

/** The longest path of a unix socket that every system takes. */
const LONGEST_PATH = 103

export class RuntimeFolder {
  /** Of its owner. */
  readonly uid: number
  /** For messages. */
  readonly path: string
  readonly #fd: number
  readonly #reach: string

  private constructor(fd: number, folder: string, uid: number) {
    this.#fd = fd
    this.path = folder
    this.uid = uid
    this.#reach = existsSync(DESCRIPTORS) ? `${DESCRIPTORS}/${fd}` : folder
  }

  /** @throws where it cannot be opened, is a link, belongs to another user, or is open to others. */
  static open(folder: string, uid: number): RuntimeFolder {
    const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    try {
      const { mode, uid: owner } = fstatSync(fd)
      if (owner !== uid) throw new Error(`${folder} belongs to uid ${owner}`)
      if ((mode & 0o077) !== 0) throw new Error(`${folder} is open to others (mode ${(mode & 0o777).toString(8)})`)
      return new RuntimeFolder(fd, folder, uid)
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** @throws Error where the path is longer than a unix socket's may be. */
  fileIn(name: string): string {
    const file = path.join(this.#reach, name)
    if (Buffer.byteLength(file) <= LONGEST_PATH) return file
    throw new Error(`${file} is longer than the path of a unix socket may be: set TMPDIR to a shorter one`)
  }

  /** Whether this name is a socket of the folder's owner: not a link to one of somebody else. */
  hasSocket(name: string): boolean {
    try {
      const stat = lstatSync(path.join(this.#reach, name))
      return stat.isSocket() && stat.uid === this.uid
    } catch {
      return false
    }
  }

  /** Whether this path leads to the folder, and to no link. */
  isAt(folder: string): boolean {
    const { dev, ino } = fstatSync(this.#fd)
    const found = lstatSync(folder)
    return found.dev === dev && found.ino === ino
  }

  names(): readonly string[] {
    return namesIn(this.#reach, MOST_SOCKETS)
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** The folder of this user, made where there is none; another name where a stranger has taken that. @throws the reason */
export function openOwnFolder(uid: number): RuntimeFolder {
  if (process.geteuid === undefined)
    throw new Error('this system has no users that the folder of a socket could be for')
  const folder = usualFolder(uid)
  try {
    makeFolder(folder)
    return RuntimeFolder.open(folder, uid)
  } catch (error) {
    const [other, ...more] = openFolders(uid)
    for (const one of more) one.close()
    if (other !== undefined) return other
    try {
      return RuntimeFolder.open(mkdtempSync(`${folder}-`), uid)
    } catch {
      throw error
    }
  }
}

/** With those above it. Node's own, `recursive`, never returns where a file system lets nobody make a folder, as /proc. */
function makeFolder(folder: string): void {
  const make = (): string | undefined => {
    try {
      mkdirSync(folder, { mode: 0o700 })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EEXIST' && code !== 'ENOENT') throw error
      return code
    }
    return undefined
  }
  if (make() !== 'ENOENT' || path.dirname(folder) === folder) return
  makeFolder(path.dirname(folder))
  make()
}

/** The folders of this user that are what they should be. The caller closes them. */
export function openFolders(uid: number): readonly RuntimeFolder[] {
  // Not found by a search, which a stranger who fills the folder could bring to its end.
  const usual = tryToOpen(path.basename(usualFolder(uid)), uid)
  return [...usual, ...search((owner, isUsual) => owner === uid && !isUsual)]
}

/** The same of every user, this one's first. The caller closes them. */
export function openAllFolders(uid: number): readonly RuntimeFolder[] {
  const others = search((owner) => owner !== uid)
  for (const one of others.slice(MOST_OTHERS)) one.close()
  return [...openFolders(uid), ...others.slice(0, MOST_OTHERS)]
}

function usualFolder(uid: number): string {
  return path.join(tmpdir(), `reuseport-${uid}`)
}

function search(isWanted: (uid: number, isUsual: boolean) => boolean): readonly RuntimeFolder[] {
  return namesIn(tmpdir(), MOST_FOLDERS).flatMap((name) => {
    const [, digits, more] = FOLDER.exec(name) ?? []
    return digits === undefined || !isWanted(Number(digits), more === undefined) ? [] : tryToOpen(name, Number(digits))
  })
}

function tryToOpen(name: string, uid: number): readonly RuntimeFolder[] {
  try {
    return [RuntimeFolder.open(path.join(tmpdir(), name), uid)]
  } catch {
    return []
  }
}

function namesIn(folder: string, most: number): readonly string[] {
  const names: string[] = []
  try {
    const entries = opendirSync(folder)
    try {
      for (let entry = entries.readSync(); entry !== null && names.length < most; entry = entries.readSync()) {
        names.push(entry.name)
      }
    } finally {
      entries.closeSync()
    }
  } catch {
    // There is none, or this user may not read it.
  }
  return names
}

/** The user for whom the kernel makes this process's files and sockets. */
export function ownUid(): number {
  return process.geteuid?.() ?? 0
}
