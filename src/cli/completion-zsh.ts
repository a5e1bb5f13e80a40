// Pure: the completion script for zsh.
import type { Candidates, CompletedCommand, CompletedOption } from './completion-words.js'

export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `#compdef reuseport
# Completion of reuseport for zsh.
_reuseport() {
  if ((CURRENT == 2)); then
    local -a commands=(
${commands.map(({ name, text }) => `      ${quoted(`${name}:${text}`)}`).join('\n')}
    )
    if [[ $PREFIX == -* ]]; then compadd -- -h --help -V --version
    else _describe -t commands command commands; fi
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
# It is sourced, or found in $fpath as the file _reuseport.
if [[ $funcstack[1] == _reuseport ]]; then _reuseport "$@"; else compdef _reuseport reuseport; fi
`
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

function commandCase({ first, name, options }: CompletedCommand): string {
  const specs = [...options.map(specOf), ...argumentsOf(first)]
  // A script takes the options after it.
  const until = first.isScript ? " -A '-*'" : ''
  return `    ${name}) _arguments -s -S${until} ${specs.join(' \\\n      ')} ;;`
}

function argumentsOf(first: CompletedCommand['first']): readonly string[] {
  if (first.isScript) return ["'1:script:_files'", "'*::argument:_files'"]
  return [first.kind === 'words' ? `'1: :(${first.words.join(' ')})'` : "'*: :'"]
}

/** A text without what _arguments would take for its own. */
const plain = (text: string): string => text.replaceAll(/[[\]]/g, '').replaceAll(':', '\\:')

function specOf({ isRepeatable, names, text, value }: CompletedOption): string {
  const others = names.length > 1 ? `(${names.join(' ')})` : ''
  const specs = names.map((name) => {
    const joined = name.startsWith('--') ? '=' : '+'
    return `${isRepeatable ? '*' : others}${name}${value === undefined ? '' : joined}[${plain(text)}]${valueSpec(value)}`
  })
  return specs.map(quoted).join(' ')
}

function valueSpec(value: CompletedOption['value']): string {
  if (value === undefined) return ''
  return `${value.isOptional ? '::' : ':'}${plain(value.name)}:${actionOf(value.candidates)}`
}

function actionOf(candidates: Candidates): string {
  switch (candidates.kind) {
    case 'none':
      return ''
    case 'files':
      return '_files'
    case 'folders':
      return '_files -/'
    case 'words':
      return `(${candidates.words.join(' ')})`
  }
}
