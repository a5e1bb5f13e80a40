// Checks the installed package on every runtime that it supports: each part must serve, or be refused with its reason.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { cachedPackage } from '../cached-package.mjs'
import { NODE_VERSIONS, nodeBinary } from '../nodes.mjs'
import { runJson } from './run.mjs'

const PARTS = ['share', 'options', 'descriptor', 'datagrams', 'inspect', 'steer', 'drain']
const NO_ADDON = /^ERR_REUSEPORT_ADDON_UNAVAILABLE: .*(--allow-addons|--no-addons|--allow-fs-read)/

/** Asserts that each part serves, or fails with the message that `refused` has for it. */
function assertReport(name, report, refused, addon) {
  assert.equal(report.addon, addon, `${name}: ${JSON.stringify(report.reasons)}`)
  for (const part of PARTS) {
    const reason = refused[part]
    if (reason === undefined) assert.equal(report[part], 'ok', `${name}: ${part}`)
    else assert.match(report[part], reason, `${name}: ${part}`)
  }
  const missing = Object.keys(refused)
  console.log(
    `${name}: ${missing.length === 0 ? 'everything serves' : `all but ${missing.join(', ')}, which say why`}.`,
  )
}

function onNodes(project) {
  for (const [major, version] of Object.entries(NODE_VERSIONS)) {
    const report = runJson(nodeBinary(Number(major)), ['smoke.mjs'], { cwd: project })
    assertReport(`Node ${version}, x64`, report, {}, true)
  }
}

/** qemu emulates user space only: it passes the system calls that it knows to the kernel of this machine. */
function onArm(project) {
  const root = '/usr/aarch64-linux-gnu'
  if (!existsSync(root)) throw new Error(`${root} is missing: scripts/install-debian-packages`)
  const report = runJson('qemu-aarch64-static', ['-L', root, nodeBinary(22, 'arm64'), 'smoke.mjs'], { cwd: project })
  assert.match(report.binary, /linux-arm64.reuseport\.node$/)
  const refused = {
    inspect: /^ERR_REUSEPORT_INSPECTION_UNAVAILABLE: .*EPROTONOSUPPORT/,
    steer: /^ERR_REUSEPORT_(INSPECTION|STEERING)_UNAVAILABLE: /,
    drain: /sock_diag.*EPROTONOSUPPORT/,
  }
  assertReport('Node 22, arm64, under qemu', report, refused, true)
}

const PACKAGES = { bun: ['@oven/bun-linux-x64', '1.4.5', 'bin/bun'], deno: ['deno', '2.9.6', ''] }

function onBun(project) {
  const [name, version, binary] = PACKAGES.bun
  const bun = path.join(cachedPackage(name, version), name, binary)
  const report = runJson(bun, ['smoke.mjs'], { cwd: project })
  assertReport(
    `Bun ${version}`,
    report,
    { datagrams: /dgram sockets of this runtime do not accept a descriptor/ },
    true,
  )
}

function onDeno(project) {
  const [name, version] = PACKAGES.deno
  const deno = path.join(cachedPackage(name, version), '@deno/linux-x64-glibc/deno')
  const refused = {
    options: /must be bound to a port, with a descriptor of its own/,
    datagrams: /dgram sockets of this runtime do not accept a descriptor/,
    steer: /^ERR_REUSEPORT_STEERING_UNAVAILABLE: .*no descriptor of its own/,
    drain: /no descriptor of its own/,
  }
  assertReport(`Deno ${version}, -A`, runJson(deno, ['run', '-A', 'smoke.mjs'], { cwd: project }), refused, true)
  const denied = runJson(deno, ['run', 'smoke.mjs'], { cwd: project })
  assert.equal(denied.addon, false)
  assert.match(denied.reasons.addon, /--allow-env/)
  console.log(`Deno ${version}, no permissions: the error names the missing one.`)
}

/** Each combination of the permissions that matter. Only the folder of the project is readable. */
function underPermissions(project) {
  for (const major of Object.keys(NODE_VERSIONS).map(Number)) {
    const node = nodeBinary(major)
    const rights = [major < 22 ? '--experimental-permission' : '--permission', `--allow-fs-read=${project}/`]
    const net = major >= 25 ? ['--allow-net'] : []
    const smoke = (...flags) => runJson(node, ['--no-warnings', ...flags, 'smoke.mjs'], { cwd: project })
    // Without permission to read /proc the process of a member is unknown.
    const hidden = { inspect: /^two members, whose process is hidden$/ }
    assertReport(`Node ${major}, --allow-addons`, smoke(...rights, '--allow-addons', ...net), hidden, true)
    const missing = major < 22 ? NOTHING_SERVES : CORE_SERVES
    assertReport(`Node ${major}, no --allow-addons`, smoke(...rights, ...net), missing, false)
    assertReport(`Node ${major}, --no-addons`, smoke('--no-addons'), missing, false)
    if (net.length > 0) {
      const told = runJson(node, ['--no-warnings', ...rights, '--allow-addons', '-p', ASK], { cwd: project })
      assert.match(told.reasons.supported, /--allow-net/)
      assert.equal(told.refused, 'ERR_ACCESS_DENIED')
      console.log(`Node ${major}, no --allow-net: the error names the missing permission.`)
    }
  }
}

const CORE_SERVES = {
  options: NO_ADDON,
  descriptor: NO_ADDON,
  inspect: NO_ADDON,
  steer: NO_ADDON,
  drain: /the native addon is missing: .*--allow-addons/,
}

/** Without the addon nothing serves on Node 20, which lacks `reusePort`. */
const NOTHING_SERVES = {
  share: /^ERR_REUSEPORT_UNSUPPORTED: .*--allow-addons/,
  options: /^ERR_REUSEPORT_UNSUPPORTED: /,
  descriptor: NO_ADDON,
  datagrams: /^ERR_REUSEPORT_UNSUPPORTED: /,
  inspect: /^nothing is shared$/,
  steer: /^nothing is shared$/,
  drain: /^nothing is shared$/,
}

const ASK = `
  const { capabilities, openReusePortSocket } = require('reuseport')
  let refused
  try { openReusePortSocket() } catch ({ code }) { refused = code }
  JSON.stringify({ refused, reasons: capabilities().reasons })`

function inThreads(project) {
  const script = `
    const { Worker } = require('node:worker_threads')
    const worker = new Worker('./smoke.mjs')
    worker.on('error', (error) => { throw error })`
  for (const major of Object.keys(NODE_VERSIONS).map(Number)) {
    assertReport(`Node ${major}, in a thread`, runJson(nodeBinary(major), ['-e', script], { cwd: project }), {}, true)
  }
}

export function checkRuntimes(project) {
  onNodes(project)
  inThreads(project)
  underPermissions(project)
  onArm(project)
  onBun(project)
  onDeno(project)
}
