import { describe, expect, test } from 'vitest'
import { core, occupyPort, ours, SERVER_KINDS } from '../support/listeners.js'
import { observe } from '../support/observe.js'

const callback = (): void => {}

/** Argument forms that need nothing prepared. Each is made anew for each call: Node writes to options. */
const FORMS: Readonly<Record<string, () => unknown[]>> = {
  '()': () => [],
  '(cb)': () => [callback],
  '(null)': () => [null],
  '(null, cb)': () => [null, callback],
  '(undefined)': () => [undefined],
  '(undefined, cb)': () => [undefined, callback],
  '(0)': () => [0],
  '(0, cb)': () => [0, callback],
  "('0')": () => ['0'],
  "(' 0 ', cb)": () => [' 0 ', callback],
  "('0x0')": () => ['0x0'],
  '(0, undefined, cb)': () => [0, undefined, callback],
  '(0, null, null, cb)': () => [0, null, null, callback],
  "(0, '127.0.0.1')": () => [0, '127.0.0.1'],
  "(0, '127.0.0.1', cb)": () => [0, '127.0.0.1', callback],
  "(0, '127.0.0.1', 12, cb)": () => [0, '127.0.0.1', 12, callback],
  "(0, '::1', cb)": () => [0, '::1', callback],
  "(0, 'localhost', cb)": () => [0, 'localhost', callback],
  "(0, '')": () => [0, ''],
  '(0, 12)': () => [0, 12],
  '(0, 12, cb)': () => [0, 12, callback],
  '({ port: 0 }, cb)': () => [{ port: 0 }, callback],
  '({ port: null })': () => [{ port: null }],
  '({ port: undefined })': () => [{ port: undefined }],
  "({ port: '0' })": () => [{ port: '0' }],
  '({ port, host })': () => [{ port: 0, host: '127.0.0.1' }, callback],
  '({ port, host: undefined })': () => [{ port: 0, host: undefined }],
  '({ port, host: null })': () => [{ port: 0, host: null }],
  '({ port, host, backlog })': () => [{ port: 0, host: '::', backlog: 3 }, callback],
  '({ port, backlog: -1 })': () => [{ port: 0, backlog: -1 }],
  '({ port, backlog: 0 })': () => [{ port: 0, backlog: 0 }],
  '({ port, ipv6Only, host })': () => [{ port: 0, host: '::', ipv6Only: true }],
  '({ port, ipv6Only, IPv4 host })': () => [{ port: 0, host: '127.0.0.1', ipv6Only: true }],
  '({ port, exclusive })': () => [{ port: 0, exclusive: true }],
  '({ port, path })': () => [{ port: 0, path: '/unused' }],
  '({ port, fd: -1 })': () => [{ port: 0, fd: -1 }],
  '({ port, fd: undefined })': () => [{ port: 0, fd: undefined }],
  '({})': () => [{}],
  '({ fd: -1 })': () => [{ fd: -1 }],
  "({ host: '127.0.0.1' })": () => [{ host: '127.0.0.1' }],
  '({ handle: null })': () => [{ handle: null }],
  '({}, cb)': () => [{}, callback],
  '(false)': () => [false],
  '(true, cb)': () => [true, callback],
  '(Symbol port)': () => [{ port: Symbol('port') }],
  '(1n)': () => [1n],
  '({ port: true })': () => [{ port: true }],
  '({ port: {} })': () => [{ port: {} }],
  '(70000)': () => [70000],
  '(70000, cb)': () => [70000, callback],
  '(65536)': () => [65536],
  '(-1)': () => [-1],
  '(NaN)': () => [Number.NaN],
  '(Infinity)': () => [Number.POSITIVE_INFINITY],
  '(1.5)': () => [1.5],
  "('')": () => [''],
  "({ port: '' })": () => [{ port: '' }],
  "({ port: 'x' })": () => [{ port: 'x' }],
  "({ port: '70000' })": () => [{ port: '70000' }],
  '({ port, host: 123 }, cb)': () => [{ port: 0, host: 123 }, callback],
  '({ port, host: {} })': () => [{ port: 0, host: {} }],
  '({ port, signal: null })': () => [{ port: 0, signal: null }],
  '({ port, signal: string })': () => [{ port: 0, signal: 'abort' }, callback],
  '({ port, signal: {} })': () => [{ port: 0, signal: {} }],
  '({ port: 70000, signal: null })': () => [{ port: 70000, signal: null }],
  'an address that no interface has': () => [0, '192.0.2.55', callback],
  'such an address, with a port': () => [{ port: 8123, host: '192.0.2.55' }],
  'a link-local address without its zone': () => [0, 'fe80::1', callback],
  'a zone that names no interface': () => [0, 'fe80::1%nosuch0'],
  'an address with the zone of the loopback interface': () => [0, '::1%lo'],
  'a name that does not exist': () => [0, 'nothing.invalid', callback],
  'a name that cannot be': () => [0, 'not a host name'],
  'a path in a folder that does not exist': () => ['/nonexistent/folder/socket', callback],
  'a descriptor that is not open': () => [{ fd: 9999 }, callback],
}

describe.each(Object.entries(SERVER_KINDS))('%s server', (_kind, createServer) => {
  test.each(Object.entries(FORMS))('listens, throws and emits as Node does: %s', async (_form, makeArguments) => {
    const expected = await observe(createServer(), core, makeArguments())
    const seen = await observe(createServer(), ours, makeArguments())
    expect(seen).toEqual(expected)
  })

  test.each(['127.0.0.1', '::1', '::', '0.0.0.0', undefined])(
    'EADDRINUSE has the keys and the text of Node on %s',
    async (host) => {
      await using occupied = await occupyPort(host ?? '::')
      const args = () => [host === undefined ? { port: occupied.port } : { port: occupied.port, host }, callback]
      const expected = await observe(createServer(), core, args())
      const seen = await observe(createServer(), ours, args())
      expect(JSON.stringify(expected)).toContain('EADDRINUSE')
      expect(seen).toEqual(expected)
    },
  )
})
