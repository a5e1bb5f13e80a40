import { balance } from './balance.js'
import { blocked } from './blocked.js'
import { cheap } from './cheap.js'
import { cpu } from './cpu.js'
import { kill } from './kill.js'
import { stop } from './stop.js'

/** @type {readonly import('./plan.js').Part[]} */
export const PARTS = [blocked, cpu, stop, kill, cheap, balance]
