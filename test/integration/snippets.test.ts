// Every fenced block of the documentation is run, checked by what fits its language, or listed with a reason.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { folderWithMore, needsMore } from '../support/cached-packages.js'
import { reuseport } from '../support/command.js'
import { UNCHECKED } from '../support/snippet-lists.js'
import { fileOf, root, type Snippet, snippets, snippetsIn } from '../support/snippets.js'

// Inside the package, so that its own name resolves to it.
const plainFolder = path.join(root, '.cache/snippets')
const beside = path.join(root, 'test/fixtures/guides')
const endSoon = pathToFileURL(fileURLToPath(new URL('../fixtures/end-soon.mjs', import.meta.url))).href

const RUN = ['js', 'mjs', 'cjs']
const CHECKED = ['ts', 'sh', 'json', 'yaml', 'dockerfile', 'ini']

const keyOf = ({ document, code }: Snippet): string => `${document}: ${code.split('\n', 1)[0]}`

test('every snippet is run, checked, or listed with a reason', () => {
  const others = snippets.filter(({ language }) => ![...RUN, ...CHECKED].includes(language))
  // A new one: give its fence a language that is run or checked, or put it into test/support/snippet-lists.ts.
  expect([...new Set(others.map(keyOf))].sort()).toEqual(Object.keys(UNCHECKED).sort())
})

test('the documentation has snippets, and the README has its six lines', () => {
  expect(snippetsIn(...RUN).length).toBeGreaterThanOrEqual(20)
  const readme = snippetsIn('js').find(({ document }) => document === 'README.md')
  expect(readme?.code.trim().split('\n').filter(Boolean).length).toBeLessThanOrEqual(6)
})

/** The file of a snippet, with a port of the kernel's choice in place of the one for the reader. */
function fileIn(folder: string, snippet: Snippet): string {
  const own = path.join(folder, snippet.name.replaceAll(/\W/g, '-'))
  mkdirSync(own, { recursive: true })
  cpSync(beside, own, { recursive: true })
  const file = path.join(own, path.basename(fileOf(snippet) ?? `snippet.${snippet.language === 'cjs' ? 'cjs' : 'mjs'}`))
  writeFileSync(file, snippet.code.replaceAll(/\b(?:8080|50051)\b/g, '0'))
  return file
}

function folderFor({ code }: Snippet, skip: (reason: string) => never): string {
  if (!needsMore(code)) return plainFolder
  // The examples of these frameworks take turns in each run; the snippets are run by `npm run test:examples`.
  if (process.env['REUSEPORT_EXAMPLES'] !== 'all')
    return skip('it needs 430 MB of packages: REUSEPORT_EXAMPLES=all runs it')
  try {
    return folderWithMore()
  } catch (error) {
    return skip(`npm could not install what it imports: ${(error as Error).message}`)
  }
}

/** `next build`. */
function buildNext(cwd: string): void {
  const next = createRequire(path.join(cwd, 'server.js')).resolve('next/dist/bin/next')
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }
  execFileSync(process.execPath, [next, 'build'], { cwd, stdio: 'pipe', env })
}

const isProgram = (snippet: Snippet): boolean => /^server\.[cm]?js$/.test(fileOf(snippet) ?? '')
const programs = snippetsIn(...RUN).filter(isProgram)
const others = snippetsIn(...RUN).filter((snippet) => !isProgram(snippet))

test.each(others)('the snippet runs: $name', (snippet) => {
  const args = ['--no-warnings', '--import', endSoon, fileIn(plainFolder, snippet)]
  // Workers of a cluster whose primary ends at once may complain on stderr, which is shown where the snippet fails.
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect({ status, stdout, stderr }).toMatchObject({ status: 0, stdout: expect.not.stringMatching(/error/i) })
})

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
    socket.once('data', () => {
      resolve(true)
      socket.destroy()
    })
    socket.once('close', () => resolve(false)).on('error', () => {})
  })

test.for(programs)('the program runs on two workers: $name', { timeout: 300_000 }, async (snippet, { skip }) => {
  const file = fileIn(folderFor(snippet, skip), snippet)
  if (/'next'/.test(snippet.code)) buildNext(path.dirname(file))
  await using command = reuseport(['run', '-n', '2', path.basename(file)], { cwd: path.dirname(file) })
  // Large frameworks on a busy machine.
  await expect.poll(command.stderr, { timeout: 100_000 }).toMatch(/2 workers on \S+:\d+/)
  const [, port] = /2 workers on \S+:(\d+)/.exec(command.stderr()) ?? []
  expect(await answers(Number(port))).toBe(true)
  command.child.kill('SIGTERM')
  expect(await command.exited).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/lost|died|failed/) })
})
