// In each process that tests start, while coverage is measured: one that is killed tells first what it ran.
// SIGUSR2 asks for it; SIGKILL follows for one that does not hear.
const { ChildProcess } = require('node:child_process')
const process = require('node:process')
const v8 = require('node:v8')
const { isMainThread } = require('node:worker_threads')

const MOMENT = 500 // ms

if (isMainThread) {
  process.on('SIGUSR2', () => {
    v8.takeCoverage()
    process.kill(process.pid, 'SIGKILL')
  })
  const { kill } = ChildProcess.prototype
  ChildProcess.prototype.kill = function killOnceTold(signal) {
    if (signal !== 'SIGKILL' || process.env.NODE_V8_COVERAGE === undefined) return kill.call(this, signal)
    setTimeout(() => kill.call(this, 'SIGKILL'), MOMENT)
    return kill.call(this, 'SIGUSR2')
  }
}
