import process from 'node:process'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker as Thread } from 'node:worker_threads'
import type { Kept } from './kept-socket.js'
import { hearOutput, type Launch, type Program, REGISTER, take, toKept } from './launch.js'
import { parseFromWorker } from './messages.js'
import { acceptedByThread, ofThread } from './node-options.js'
import { REGISTER_URL, THREAD_DATA } from './protocol.js'
import { scriptPath } from './script-option.js'

/** @internal */
export const launchThread: Launch = (program, configuration, sockets, listeners) => {
  const { output } = program
  const { port1, port2 } = new MessageChannel()
  let thread: Thread
  try {
    const kept = sockets.map((socket: Kept) => toKept(socket, socket.fd, socket.inode))
    thread = start(program, { configuration: { ...configuration, sockets: kept }, port: port2 })
  } catch (error) {
    port1.close()
    throw error
  }
  let error: Error | undefined
  const hear = (message: unknown): void => take(() => parseFromWorker(message), undefined, listeners)
  port1.on('message', hear)
  thread.on('message', (message: unknown) => listeners.onProgramMessage(message))
  thread.on('error', (thrown) => {
    error = thrown instanceof Error ? thrown : new Error(String(thrown))
  })
  let isRunning = true
  let isKilled = false
  thread.once('exit', (code) => {
    isRunning = false
    // The last messages of the thread may still be in the port.
    for (let last = receiveMessageOnPort(port1); last !== undefined; last = receiveMessageOnPort(port1)) {
      hear(last.message)
    }
    port1.close()
    // Node gives a thread that was terminated the exit code 1, as where its program fails.
    listeners.onExit({ code: isKilled ? null : code, signal: isKilled ? 'SIGKILL' : null, error })
  })
  if (output === 'pipe') hearOutput(thread, listeners)
  return {
    pid: process.pid,
    threadId: thread.threadId,
    isConnected: () => isRunning,
    send: (message) => port1.postMessage(message),
    terminate: () => void thread.terminate(),
    abort: () => void thread.terminate(),
    kill() {
      isKilled = true
      void thread.terminate()
    },
  }
}

interface Data {
  readonly configuration: object
  readonly port: MessagePort
}

function start(program: Program, data: Data): Thread {
  const { args, execArgv, env, output } = program
  const create = (options: readonly string[]): Thread =>
    new Thread(scriptPath(program), {
      argv: [...args],
      // As a URL: a path with # or ? would end there.
      execArgv: [...options, '--import', REGISTER.href],
      env: { ...env, [REGISTER_URL]: REGISTER.href },
      stdout: output === 'pipe',
      stderr: output === 'pipe',
      workerData: { [THREAD_DATA]: data },
      transferList: [data.port],
    })
  const options = ofThread(execArgv)
  try {
    return create(options)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const accepted =
      code === 'ERR_WORKER_INVALID_EXEC_ARGV' ? acceptedByThread(options, message, process.execArgv) : undefined
    if (accepted === undefined) throw error
    return create(accepted)
  }
}
