// Reloads that take themselves back: a new worker that is unhealthy, or dies within the soak, leaves the old one in its place.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { askText, load, script } from '../support/canaries.js'
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js'
import { freePort } from '../support/listeners.js'
import { listenersOn } from '../support/sockets.js'
import { event, namesOf, supervise } from '../support/supervisors.js'

const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-canary-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function onlyOldServe(port: number, generations: readonly number[], supervisor: Workers): Promise<void> {
  expect(supervisor.workers.map(({ generation, state }) => [generation, state])).toEqual(
    generations.map((generation) => [generation, 'ready']),
  )
  const answers = await Promise.all(Array.from({ length: 40 }, () => askText(port)))
  expect(new Set(answers)).toEqual(new Set(['right']))
  expect(listenersOn(port)).toHaveLength(generations.length)
}

interface Workers {
  readonly workers: readonly { readonly generation: number; readonly state: string }[]
}

describe('under load', { timeout: 60_000 }, () => {
  test('a canary that is not healthy: it alone has answered wrongly, and no request has failed', async () => {
    const port = await freePort()
    await using one = supervise({ port }, { script, workers: 3, health: '/healthz', readyTimeout: 4000 })
    await one.supervisor.start()
    // A canary that were killed would lose what it is answering.
    one.setting({ port, says: 'wrong', health: 500, slow: 100 })
    const ended = load(port)
    await expect(one.supervisor.reload()).rejects.toMatchObject({
      code: 'ERR_REUSEPORT_WORKER_FAILED',
      message:
        'worker 0 was not healthy within 4 s: GET /healthz was answered by 500; workers 0 to 2 serve generation 1',
    })
    await onlyOldServe(port, [1, 1, 1], one.supervisor)
    const { failed, right, wrong } = await ended()
    expect(failed).toEqual([])
    expect(right).toBeGreaterThan(0)
    // It has served meanwhile: the test could not tell anything otherwise.
    expect(wrong).toBeGreaterThan(0)
    expect(namesOf(one.told)).toContain('reload:failed')
  })

  test('a canary that dies within the soak: what it had accepted is lost, and nothing else', async () => {
    const port = await freePort()
    const open = path.join(folder, 'open')
    await using one = supervise({ port }, { script, workers: 3, soak: 60_000 })
    await one.supervisor.start()
    one.setting({ port, says: 'wrong', dies: 1500, open })
    const ended = load(port)
    const soak = event(one.supervisor, 'reload:soak')
    const failure = expect(one.supervisor.reload()).rejects.toThrow(
      /^worker 0 ended with exit code 1 \d\.\d s after it was ready; workers 0 to 2 serve generation 1$/,
    )
    expect(await soak).toMatchObject([{ slot: 0, generation: 2, state: 'ready' }, 60_000])
    // All old workers serve beside it.
    expect(one.supervisor.workers.map(({ generation }) => generation).sort()).toEqual([1, 1, 1, 2])
    await failure
    await onlyOldServe(port, [1, 1, 1], one.supervisor)
    const { failed, wrong } = await ended()
    expect(failed.length).toBeLessThanOrEqual(Number(readFileSync(open, 'utf8')))
    expect(wrong).toBeGreaterThan(0)
    expect(namesOf(one.told)).not.toContain('worker:restart')
  })

  test('without health and soak the same code takes over: the tests above can fail', async () => {
    const port = await freePort()
    await using one = supervise({ port }, { script, workers: 2 })
    await one.supervisor.start()
    one.setting({ port, says: 'wrong', health: 500 })
    await one.supervisor.reload()
    expect(await askText(port)).toBe('wrong')
    expect(one.supervisor.workers.map(({ generation }) => generation)).toEqual([2, 2])
  })

  test('a good canary: no request fails, and the others follow without a soak', async () => {
    const port = await freePort()
    await using one = supervise({ port }, { script, workers: 3, health: '/healthz', soak: 1200 })
    await one.supervisor.start()
    const ended = load(port)
    await one.supervisor.reload()
    expect((await ended()).failed).toEqual([])
    expect(one.told.filter(([name]) => name === 'reload:soak')).toHaveLength(1)
    expect(one.supervisor.workers.map(({ generation }) => generation)).toEqual([2, 2, 2])
  })
})

describe('a reload', { timeout: 60_000 }, () => {
  test('whose canary becomes unhealthy within the soak is taken back', async () => {
    const port = await freePort()
    const options = { script, workers: 2, health: '/healthz', soak: 60_000, drainTimeout: 500 }
    await using one = supervise({ port }, options)
    await one.supervisor.start()
    const soak = event(one.supervisor, 'reload:soak')
    const reloaded = one.supervisor.reload()
    const [{ pid }] = await soak
    process.kill(pid, 'SIGSTOP')
    await expect(reloaded).rejects.toThrow(
      'worker 0 was not healthy during its soak: GET /healthz was not answered within 5 s; workers 0, 1 serve generation 1',
    )
    await onlyOldServe(port, [1, 1], one.supervisor)
  })

  test('that fails at a later worker says who serves what; the next one brings all to one generation', async () => {
    const port = await freePort()
    await using one = supervise({ port }, { script, workers: 3, health: '/healthz', readyTimeout: 4000 })
    await one.supervisor.start()
    one.supervisor.on('worker:ready', ({ generation, slot }) => {
      if (generation === 2 && slot === 0) one.setting({ port, health: 503 })
    })
    await expect(one.supervisor.reload()).rejects.toThrow(
      'worker 1 was not healthy within 4 s: GET /healthz was answered by 503; ' +
        'worker 0 serves generation 2, workers 1, 2 generation 1',
    )
    one.setting({ port })
    await one.supervisor.reload()
    expect(one.supervisor.workers.map(({ generation }) => generation)).toEqual([3, 3, 3])
  })

  test('whose old worker dies during the soak goes on with the canary, or another one follows it', async () => {
    const port = await freePort()
    await using one = supervise({ port }, { script, workers: 1, soak: 60_000 })
    await one.supervisor.start()
    const [old] = one.supervisor.workers
    const soak = event(one.supervisor, 'reload:soak')
    const reloaded = one.supervisor.reload()
    const [canary] = await soak
    process.kill(old?.pid ?? 0, 'SIGKILL')
    await expect.poll(() => one.supervisor.workers.map(({ pid }) => pid)).toEqual([canary.pid])
    expect(await askText(port)).toBe('right')
    // A signal to the canary ends it: nobody is left, so another one starts on the same socket.
    const sockets = (): unknown => one.supervisor.status().workers.map((worker) => worker.sockets)
    const before = sockets()
    process.kill(canary.pid, 'SIGTERM')
    await expect(reloaded).rejects.toThrow(
      /^worker 0 (?:ended with exit code 0|was ended by SIGTERM) \d\.\d s after it was ready; worker 0 ended$/,
    )
    expect(await askText(port)).toBe('right')
    expect(sockets()).toEqual(before)
    expect(one.supervisor.workers.map(({ generation }) => generation)).toEqual([2])
  })

  test('that is stopped during the soak leaves nothing behind', async () => {
    const port = await freePort()
    await using one = supervise({ port }, { script, workers: 2, health: '/healthz', soak: 60_000 })
    await one.supervisor.start()
    const soak = event(one.supervisor, 'reload:soak')
    const reloaded = expect(one.supervisor.reload()).rejects.toMatchObject({
      code: 'ERR_REUSEPORT_SUPERVISOR_STATE',
      message: 'worker 0 was stopped before it was ready; workers 0, 1 serve generation 1',
    })
    await soak
    await one.supervisor.stop()
    await reloaded
    expect(one.supervisor.workers).toEqual([])
    expect(listenersOn(port)).toEqual([])
  })

  test('a canary that gets a signal is none to go on with, also where it drains longer than the soak', async () => {
    const port = await freePort()
    await using one = supervise({ port }, { script, workers: 1, soak: 1000 })
    await one.supervisor.start()
    const [old] = one.supervisor.workers
    one.setting({ port, says: 'new', slow: 2500 })
    const soak = event(one.supervisor, 'reload:soak')
    const reloaded = expect(one.supervisor.reload()).rejects.toThrow('worker 0 serves generation 1')
    await soak
    const canary = one.supervisor.workers.find(({ pid }) => pid !== old?.pid)
    // Until the canary has some: it takes longer for its answer than the soak lasts.
    const answers: Promise<string>[] = []
    for (let pending = 0; pending < 3; await sleep(50)) {
      pending++
      answers.push(askText(port).finally(() => pending--))
    }
    process.kill(canary?.pid ?? 0, 'SIGTERM')
    await reloaded
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['right', 'new']))
    expect(one.supervisor.workers.map(({ pid }) => pid)).toEqual([old?.pid])
    expect(await askText(port)).toBe('right')
  })
})

describe('who is asked', { timeout: 60_000 }, () => {
  const keys = { key: PRIVATE_KEY, cert: CERTIFICATE }

  test.each([
    ['http', '1.1'],
    ['https', '1.1'],
    ['http2', '2.0'],
    ['http2 over TLS', '2.0'],
    ['net, then http', '1.1'],
  ])('a server of %s, by GET, as localhost, from the loopback address', async (kind, version) => {
    const port = await freePort()
    const asked = path.join(folder, `asked ${kind}`)
    await using one = supervise({ port, kind, asked, ...keys }, { script, workers: 1, health: '/healthz' })
    await one.supervisor.start()
    expect(existsSync(asked)).toBe(true)
    expect(JSON.parse(readFileSync(asked, 'utf8'))).toEqual({
      method: 'GET',
      host: 'localhost',
      agent: 'reuseport-health',
      address: '127.0.0.1',
      http: version,
    })
  })

  test.each([
    ['net', /^worker 0 was not healthy within 4 s: GET \/healthz failed \(.*Parse Error.*\)$/i],
    ['destroys connections', /^worker 0 was not healthy within 4 s: GET \/healthz failed \(/],
    ['answers 101', 'GET /healthz failed (the connection was closed)'],
    ['nothing, but ready', 'GET /healthz cannot be asked for: no server of the worker itself listens'],
    ['disconnects', /GET \/healthz (?:cannot be asked for: the program has closed its IPC channel|failed)/],
  ])('%s: the start fails, and says why', async (kind, reason) => {
    const port = await freePort()
    await using one = supervise(
      { port, kind, health: 404 },
      { script, workers: 1, health: '/healthz', readyTimeout: 4000 },
    )
    await expect(one.supervisor.start()).rejects.toThrow(reason)
    expect(one.supervisor.workers).toEqual([])
  })

  test('a program that never answers is waited for no longer than a while', async () => {
    const port = await freePort()
    await using one = supervise(
      { port, health: 'never' },
      { script, workers: 1, health: '/healthz', readyTimeout: 4000 },
    )
    await expect(one.supervisor.start()).rejects.toThrow('GET /healthz was not answered within 5 s')
  })

  test('not the worker that follows a dead one', async () => {
    const port = await freePort()
    await using one = supervise({ port }, { script, workers: 1, health: '/healthz', readyTimeout: 4000 })
    await one.supervisor.start()
    one.setting({ port, health: 503 })
    const pid = one.supervisor.workers[0]?.pid ?? 0
    const next = event(one.supervisor, 'worker:ready')
    process.kill(pid, 'SIGKILL')
    await next
    expect(await askText(port)).toBe('right')
  })

  test('a worker that balances connections answers itself', async () => {
    const port = await freePort()
    const options = { script, workers: 2, health: '/healthz', readyTimeout: 4000, balance: 'connections' } as const
    await using one = supervise({ port }, options)
    await one.supervisor.start()
    one.setting({ port, says: 'wrong', health: 500 })
    await expect(Promise.race([one.supervisor.reload(), event(one.supervisor, 'worker:ready')])).rejects.toThrow(
      'GET /healthz was answered by 500',
    )
  })
})
