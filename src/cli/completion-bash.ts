// Pure: the completion script for bash, from 3.2 on (macOS has that one).
import type { Candidates, CompletedCommand } from './completion-words.js'

/** What may stand in place of a command. */
const WITHOUT_COMMAND = ['-h', '--help', '-V', '--version']

export function bashCompletion(commands: readonly CompletedCommand[]): string {
  return `# Completion of reuseport for bash.
_reuseport() {
  local cur=\${COMP_WORDS[COMP_CWORD]} at=1 count=0 option= options= takes= first= script= word words=()
  COMPREPLY=()
  # bash breaks --option=value into three words.
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD}"; do
    [[ $word == = ]] || words+=("$word")
  done
  [[ $cur == = ]] && cur=
  if ((\${#words[@]} == 1)); then
    _reuseport_words "${[...commands.map(({ name }) => name), ...WITHOUT_COMMAND].join(' ')}"
    return
  fi
  case \${words[1]} in
${commands.map(commandCase).join('\n')}
    *) return ;;
  esac
  while ((++at < \${#words[@]})); do
    word=\${words[at]}
    if [[ -n $option ]]; then option=
    elif [[ $word == -- ]]; then count=1
    elif [[ $word == -* ]]; then [[ " $takes " == *" $word "* ]] && option=$word
    else ((++count)); fi
    # The rest is for the script.
    ((count > 0)) && [[ -n $script ]] && return
  done
  case \${words[1]}$option in
${commands.flatMap(valueCases).join('\n')}
  esac
  if [[ -n $option ]]; then _reuseport_words ''
  elif [[ $cur == -* ]]; then _reuseport_words "$options"
  elif [[ -z $script ]]; then
    ((count > 0)) && first=
    _reuseport_words "$first"
  fi
}
# Offers the words that begin as the current one does, and no files where there are none.
_reuseport_words() {
  compopt +o default 2>/dev/null
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}
complete -o default -F _reuseport reuseport
`
}

const quoted = (words: readonly string[]): string => `'${words.join(' ').replaceAll("'", "'\\''")}'`

function commandCase({ first, name, options }: CompletedCommand): string {
  const names = options.flatMap((option) => option.names)
  const takes = options.filter(({ value }) => value?.isOptional === false).flatMap((option) => option.names)
  const script = first.isScript ? ' script=1' : ''
  const words = first.kind === 'words' ? ` first=${quoted(first.words)}` : ''
  return `    ${name}) options=${quoted(names)} takes=${quoted(takes)}${words}${script} ;;`
}

/** Where none fits, only the user knows the value. */
function valueCases({ name, options }: CompletedCommand): readonly string[] {
  return options.flatMap(({ names, value }) => {
    const action = value === undefined || value.isOptional ? undefined : actionOf(value.candidates)
    const pattern = names.map((option) => name + option).join(' | ')
    return action === undefined ? [] : [`    ${pattern}) ${action}; return ;;`]
  })
}

function actionOf(candidates: Candidates): string | undefined {
  switch (candidates.kind) {
    case 'none':
      return undefined
    case 'files':
      return ':'
    case 'folders':
      return 'compopt +o default -o dirnames 2>/dev/null'
    case 'words':
      return `_reuseport_words ${quoted(candidates.words)}`
  }
}
