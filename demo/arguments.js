import process from 'node:process'
import { parseArgs } from 'node:util'

/**
 * Reads the arguments of this program. Arguments that are wrong end it with its help and exit code 2.
 *
 * @template {Record<string, NonNullable<import('node:util').ParseArgsConfig['options']>[string]>} Options
 * @param {string} help
 * @param {Options} options
 */
export function readArguments(help, options) {
  /** @type {(message: string) => never} */
  function misused(message) {
    console.error(`${message}\n\n${help}`)
    process.exit(2)
  }

  function parse() {
    try {
      return parseArgs({ options }).values
    } catch (error) {
      return misused(error instanceof Error ? error.message : String(error))
    }
  }

  return {
    values: parse(),
    /** @type {(name: string, text: string, allowed: readonly string[]) => string} */
    oneOf(name, text, allowed) {
      if (allowed.includes(text)) return text
      return misused(`--${name} takes one of ${allowed.join(', ')}, not '${text}'`)
    },
    /** @type {(name: string, text: string, low: number, high: number) => number} */
    wholeNumber(name, text, low, high) {
      const value = Number(text)
      if (Number.isInteger(value) && value >= low && value <= high) return value
      return misused(`--${name} takes a whole number from ${low} to ${high}, not '${text}'`)
    },
  }
}
