// A process that sends HTTP requests: see soak/requests.js.
import http from 'node:http'
import { sendRequests, TIMEOUT } from './requests.js'

sendRequests((port, keepsConnection) => {
  const agent = keepsConnection ? new http.Agent({ keepAlive: true, maxSockets: 1 }) : false
  return {
    request: () => request(port, agent),
    end: () => {
      if (agent) agent.destroy()
    },
  }
})

/** @type {(port: number, agent: http.Agent | false) => Promise<string | undefined>} */
function request(port, agent) {
  return new Promise((resolve) => {
    const asked = http.get({ port, host: '127.0.0.1', agent, timeout: TIMEOUT }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (data) => {
        text += data
      })
      response.on('end', () => resolve(text === 'hello' ? undefined : `answered '${text}'`))
      response.on('error', (error) => resolve(String(error)))
    })
    asked.on('timeout', () => asked.destroy(new Error(`no answer in ${TIMEOUT} ms`)))
    asked.on('error', (error) => resolve('code' in error ? String(error.code) : error.message))
  })
}
