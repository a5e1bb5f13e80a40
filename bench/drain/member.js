// A member of a group that shares a port, by reuseport/register. argv[2]: how it leaves when it is told: 'close' closes, 'empty' closes
// in the turn of the event loop in which it found its accept queue empty, 'drain' drains.
import process from 'node:process'
import { drain } from 'reuseport'
import { server } from '../managers/program.js'

/** Resolves in a turn in whose poll phase no connection came: the check phase follows it at once. */
function queueIsEmpty() {
  return new Promise((resolve) => {
    let isEmpty = true
    const onConnection = () => {
      isEmpty = false
    }
    const look = () => {
      if (!isEmpty) {
        isEmpty = true
        setImmediate(look)
        return
      }
      server.off('connection', onConnection)
      resolve(undefined)
    }
    server.on('connection', onConnection)
    // The first immediate runs in a turn that may have polled before the listener was added.
    setImmediate(() => setImmediate(look))
  })
}

async function leave() {
  if (process.argv[2] === 'drain') await drain(server)
  else {
    if (process.argv[2] === 'empty') await queueIsEmpty()
    await new Promise((resolve) => server.close(resolve))
  }
  process.exit()
}

process.once('message', leave)
process.on('disconnect', () => process.exit())
