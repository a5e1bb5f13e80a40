// Run by Jest, twice in one process, from CommonJS: servers share a port, and errors are what they are outside Jest.
const http = require('node:http')
const { capabilities, listenReusePort, ReusePortUnknownOptionError } = require('reuseport')
const { Supervisor } = require('reuseport/supervisor')

/* global expect, test */

test('two servers share a port', async () => {
  const servers = [0, 0].map(() => http.createServer((_request, response) => response.end('x')))
  let port = 0
  for (const server of servers) {
    await new Promise((resolve) => listenReusePort(server, { port, host: '127.0.0.1' }, resolve))
    port = server.address().port
  }
  const answer = await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })
  expect(await answer.text()).toBe('x')
  expect(servers.map((server) => server.address().port)).toEqual([port, port])
  for (const server of servers) server.close()
  expect(capabilities().addon).toBe(true)
  expect(new Supervisor({ script: 'x.js' }).state).toBe('new')
})

test('an error is of its class', () => {
  let error
  try {
    listenReusePort(http.createServer(), { prot: 1 })
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(ReusePortUnknownOptionError)
  expect(error).toMatchObject({ code: 'ERR_REUSEPORT_UNKNOWN_OPTION', nearest: 'port' })
})
