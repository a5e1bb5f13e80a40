// What the server does: the same before and after.
import http from 'node:http'
import process from 'node:process'

export function createApp() {
  return http.createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ worker: process.pid }))
  })
}
