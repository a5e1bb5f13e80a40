// Pure: what can follow each word of the command line, by the help texts.
import { type Help, type HelpOption, optionsOf, parseHelp } from './help-parser.js'

export type Candidates =
  | { readonly kind: 'none' }
  | { readonly kind: 'files' }
  | { readonly kind: 'folders' }
  | { readonly kind: 'words'; readonly words: readonly string[] }

export interface CompletedOption {
  /** As they are typed: `-n`, `--workers`. */
  readonly names: readonly string[]
  readonly text: string
  readonly isRepeatable: boolean
  readonly value: { readonly name: string; readonly isOptional: boolean; readonly candidates: Candidates } | undefined
}

export interface CompletedCommand {
  readonly name: string
  readonly text: string
  readonly options: readonly CompletedOption[]
  /** Of the first word that is no option. A script takes what follows it, and there files are completed. */
  readonly first: Candidates & { readonly isScript: boolean }
}

/** @param main The help of the command itself, which lists the commands. `helps`: that of each command. */
export function completedCommands(main: string, helps: Readonly<Record<string, string>>): readonly CompletedCommand[] {
  const terms = parseHelp(main).blocks.flatMap((block) => (block.kind === 'terms' ? block.terms : []))
  // Of `scale <count>`, the first word.
  const named = terms.map(({ lines, term }) => ({ name: term.split(' ')[0] ?? '', text: lines.join(' ') }))
  const names = named.map(({ name }) => name)
  return named.map(({ name, text }) => {
    const help = parseHelp(helps[name] ?? '')
    const own = optionsOf(help)
    const shared = mentions(help, '[run options]') ? optionsOf(parseHelp(helps['run'] ?? '')) : []
    const others = shared.filter(({ long }) => !own.some((option) => option.long === long))
    return { name, text, options: [...own, ...others].map(toCompleted), first: toFirst(help, names) }
  })
}

function mentions({ usage }: Help, words: string): boolean {
  return usage.some((line) => line.includes(words))
}

function toFirst(help: Help, commands: readonly string[]): CompletedCommand['first'] {
  if (mentions(help, ' script')) return { kind: 'files', isScript: true }
  if (mentions(help, '[command]')) return { kind: 'words', words: commands, isScript: false }
  const words = help.usage.flatMap((line) => / (\w+(?:\|\w+)+)$/.exec(line)?.[1]?.split('|') ?? [])
  return { ...toWords(words), isScript: false }
}

function toCompleted({ long, short, text, value }: HelpOption): CompletedOption {
  return {
    names: short === undefined ? [long] : [short, long],
    text,
    isRepeatable: /repeatable|several times/.test(text),
    value: value && {
      name: value.name.replaceAll(/[<>[\]]/g, ''),
      isOptional: value.isOptional,
      candidates: candidatesOf(value.name, text),
    },
  }
}

/** The name of a value says what it is, and for `<policy>` the text lists the words. */
function candidatesOf(name: string, text: string): Candidates {
  if (/\bfile\b|\bpath\b/.test(name)) return { kind: 'files' }
  if (/\bfolder\b/.test(name)) return { kind: 'folders' }
  if (name === '<policy>') return toWords(/: (\w+(?:(?:,? or |, )\w+)+)/.exec(text)?.[1]?.split(/,? or |, /) ?? [])
  const words = name.replaceAll(/[<>]/g, '').split('|')
  // What is literal: `connections`, and `auto` of `<count|auto>`.
  if (name.startsWith('<')) return toWords(words.filter((word) => word === 'auto'))
  return toWords(name.startsWith('[') ? [] : words)
}

function toWords(words: readonly string[]): Candidates {
  return words.length === 0 ? { kind: 'none' } : { kind: 'words', words }
}
