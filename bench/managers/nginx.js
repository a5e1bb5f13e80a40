// nginx, which answers by itself: what a server in C does. It has no link to the benchmark, so the links of its workers are held here.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { lastSteps } from '../common/children.js'
import { pidsBelow } from '../common/processes.js'
import { WORKERS } from './manager.js'
import { foreground } from './starters.js'

const EVERY = 5 // ms between two looks at its workers

/** @returns {string} its version */
export function prepareNginx() {
  try {
    const text = execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' })
    return /nginx\/(\S+)/.exec(text)?.[1] ?? 'unknown'
  } catch {
    throw new Error('nginx is not installed (Debian: nginx-light)')
  }
}

/** @param {string} folder @param {number} port */
function configuration(folder, port) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`)
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; worker_processes ${WORKERS}; pid ${folder}/pid; error_log stderr crit;
events {}
http {
  access_log off; ${temporary.join(' ')}
  server { listen 127.0.0.1:${port}; location / { return 200 "$pid"; } }
}
`
}

/** Holds a link for each worker until it has ended. @param {number} master @param {import('./manager.js').Place} place */
function linkWorkers(master, { link }) {
  /** @type {Map<number, net.Socket>} */
  const links = new Map()
  return setInterval(() => {
    const pids = pidsBelow(master).filter((pid) => pid !== master)
    for (const [pid, socket] of links) {
      if (pids.includes(pid)) continue
      socket.destroy()
      links.delete(pid)
    }
    for (const pid of pids.filter((pid) => !links.has(pid))) {
      const socket = net.connect(link).on('error', () => {})
      socket.write(`${JSON.stringify({ pid, thread: 0 })}\n`)
      links.set(pid, socket)
    }
  }, EVERY)
}

/** @type {import('./manager.js').Starter} */
export async function startNginx(place) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'bench-nginx-'))
  const lastStep = () => rmSync(folder, { recursive: true, force: true })
  lastSteps.add(lastStep)
  const file = path.join(folder, 'nginx.conf')
  writeFileSync(file, configuration(folder, place.port))
  const started = foreground('nginx', ['-p', folder, '-c', file, '-e', 'stderr'], {}, (pid) =>
    process.kill(pid, 'SIGHUP'),
  )
  const timer = linkWorkers(started.root, place)
  return {
    ...started,
    async end() {
      clearInterval(timer)
      await started.end()
      lastStep()
      lastSteps.delete(lastStep)
    },
  }
}
