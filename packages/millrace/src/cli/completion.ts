/**
 * `millrace completion`: what makes a shell complete commands, options and their values. Everything else is a file.
 */
import { ConfigError } from '../errors/index.ts'
import { didYouMean } from '../options/suggest.ts'
import { COMPONENTS, referenceOf } from './components.ts'
import type { Outcome } from './output.ts'
import { SHELLS, type Shell } from './verbs/shells.ts'
import type { Verb } from './verbs/verb.ts'

/** @param verbs all commands */
export async function completion(
  shell: string,
  { json }: { readonly json?: true },
  verbs: readonly Verb[],
): Promise<Outcome> {
  if (!isShell(shell))
    throw new ConfigError(`Unknown shell "${shell}": ${didYouMean(shell, SHELLS) ?? `there are ${SHELLS.join(', ')}`}`)
  const script = SCRIPTS[shell](verbs.flatMap(toWords))
  if (json === undefined) process.stdout.write(script)
  return { exitCode: 0, summary: `Completion for ${shell}`, result: { shell, script } }
}

interface Words {
  readonly command: string
  readonly summary: string
  readonly options: readonly {
    readonly long: string
    readonly short: string | undefined
    readonly doc: string
    readonly takesValue: boolean
    readonly values: readonly string[]
  }[]
  /** What its arguments may be; undefined when they are files. */
  readonly values: readonly string[] | undefined
}

/** One entry for the name of a command and one for its alias. */
function toWords({ name, alias, summary, arguments: args = [], options = [], json }: Verb): Words[] {
  const declared = [
    ...options,
    ...(json === false ? [] : [{ flags: '--json', doc: 'print one JSON object' }]),
    { flags: '-h, --help', doc: 'print the help' },
  ]
  const words = {
    summary,
    options: declared.map(({ flags, doc, ...rest }) => ({
      long: /--[\w-]+/.exec(flags)![0],
      short: /^-\w/.exec(flags)?.[0],
      doc,
      takesValue: flags.includes('<'),
      values: 'value' in rest && Array.isArray(rest.value) ? (rest.value as readonly string[]) : [],
    })),
    values: args.length === 0 ? [] : args[0]!.values === 'components' ? componentNames() : args[0]!.values,
  }
  return [name, ...(alias === undefined ? [] : [alias])].map((command) => ({ command, ...words }))
}

/** Without the dollar sign of stages, which a shell would take for a variable. */
function componentNames(): string[] {
  return COMPONENTS.map((component) => referenceOf(component).replace('$', ''))
}

function isShell(text: string): text is Shell {
  return (SHELLS as readonly string[]).includes(text)
}

const SCRIPTS: { readonly [name in Shell]: (words: readonly Words[]) => string } = { bash, zsh, fish }

function bash(words: readonly Words[]): string {
  const cases = words.map(({ command, options, values }) => {
    const flags = options.flatMap(({ long, short }) => [long, ...(short === undefined ? [] : [short])]).join(' ')
    const choices = options
      .filter((option) => option.values.length > 0)
      .map(
        ({ long, short, values: of }) =>
          `${command},${long}${short === undefined ? '' : `|${command},${short}`}) words=${quote(of.join(' '))} ;;`,
      )
    return {
      choices,
      line: `    ${command}) options=${quote(flags)}${values === undefined ? '; files=1' : values.length === 0 ? '' : `; options+=${quote(` ${values.join(' ')}`)}`} ;;`,
    }
  })
  return `# millrace: completion for bash
_millrace() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" options="" words="" files=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quote([...words.map(({ command }) => command), '--help', '--version'].join(' '))} -- "$current"))
    return
  fi
  case "$command,$previous" in
${cases
  .flatMap(({ choices }) => choices)
  .map((line) => `    ${line}`)
  .join('\n')}
  esac
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case "$command" in
${cases.map(({ line }) => line).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$options" -- "$current"))
  if [ -n "$files" ] && [ "\${current#-}" = "$current" ]; then
    COMPREPLY=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _millrace millrace
`
}

function zsh(words: readonly Words[]): string {
  const cases = words.map(({ command, options, values }) => {
    const specs = options.flatMap(({ long, short, doc, takesValue, values: of }) =>
      [long, ...(short === undefined ? [] : [short])].map((flag) =>
        quote(
          `${flag}[${doc.replaceAll(/[[\]:]/g, ' ')}]${takesValue ? `:value:${of.length > 0 ? `(${of.join(' ')})` : ''}` : ''}`,
        ),
      ),
    )
    const rest =
      values === undefined
        ? [quote('*:file:_files')]
        : values.length === 0
          ? []
          : [quote(`1:value:(${values.join(' ')})`)]
    return `    ${command}) _arguments ${[...specs, ...rest].join(' ')} ;;`
  })
  return `#compdef millrace
# millrace: completion for zsh
_millrace() {
  if (( CURRENT == 2 )); then
    local -a commands=(${words.map(({ command, summary }) => quote(`${command}:${summary}`)).join(' ')})
    _describe command commands
    return
  fi
  local command="\${words[2]}"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _millrace ]; then _millrace "$@"; else compdef _millrace millrace; fi
`
}

function fish(words: readonly Words[]): string {
  const lines = words.flatMap(({ command, summary, options, values }) => {
    const when = `-n ${quote(`__fish_seen_subcommand_from ${command}`)}`
    return [
      `complete -c millrace -n __fish_use_subcommand -f -a ${command} -d ${quote(summary)}`,
      ...options.map(({ long, short, doc, takesValue, values: of }) =>
        [
          `complete -c millrace ${when} -l ${long.slice(2)}`,
          ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
          ...(takesValue ? ['-x'] : []),
          ...(of.length > 0 ? [`-a ${quote(of.join(' '))}`] : []),
          `-d ${quote(doc)}`,
        ].join(' '),
      ),
      ...(values === undefined
        ? []
        : [`complete -c millrace ${when} -f${values.length > 0 ? ` -a ${quote(values.join(' '))}` : ''}`]),
    ]
  })
  return `# millrace: completion for fish\n${lines.join('\n')}\n`
}

/** As one word of a shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
