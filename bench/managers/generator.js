// Sends requests, on kept connections where `kept` says how many, or on a connection each.
import { answerRuns } from '../common/open-loop.js'
import { Client } from './client.js'

answerRuns((/** @type {{ port: number, kept: number }} */ { port, kept }) => {
  const client = new Client(port, kept)
  return { send: (at) => client.request(at), end: () => client.close() }
})
