/**
 * The arguments of the command line and what `--help` teaches.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { readFile } from 'node:fs/promises'
import { EXIT_CODES } from './exit-code.ts'
import { VERBS } from './verbs/index.ts'
import type { Verb, VerbOption } from './verbs/verb.ts'

const ABOUT = `Runs Kafka pipelines from YAML, TOML or JSON files: a source, stages, and one or more sinks.`

const EXAMPLES = `
Without a broker:
  millrace new hello --source generate --sink stdout
  millrace dry-run hello.yaml

Getting started with Kafka:
  1. Write a pipeline file, orders.yaml:

       source:
         type: kafka
         options:
           topic: orders
           bootstrapServers: localhost:9092
           groupId: orders-etl
           auto.offset.reset: earliest
       stages:
         - $match: { amount: { $gte: 100 } }
       sink:
         type: kafka
         options: { topic: orders-high-value, bootstrapServers: "localhost:9092", acks: all }

     Or let millrace new orders create one with comments. millrace list and millrace info show the components.

  2. millrace lint orders.yaml              find errors, with line and column
  3. millrace explain orders.yaml           show what it will do and what it guarantees
  4. millrace check orders.yaml             verify that brokers, topics and files can be reached
  5. millrace dry-run orders.yaml           print what would be written
  6. millrace run orders.yaml --until-end   process the records that exist now, then stop

Pipeline files may be YAML, JSON or TOML. \${NAME} and \${NAME:-default} insert environment variables.`

const EXITS = `
Exit codes:
${Object.entries(EXIT_CODES)
  .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  .join('\n')}`

/** How a verb is called: by name, with its arguments and options as they were read. */
export type CallVerb = (
  verb: Verb,
  args: readonly unknown[],
  options: { readonly json?: true },
  verbs: readonly Verb[],
) => Promise<void>

/**
 * Reads the arguments and calls the command.
 *
 * @param args without the names of program and script
 * @returns what is wrong with the arguments, which has been said then; undefined when nothing is
 */
export async function callCommand(args: readonly string[], call: CallVerb): Promise<string | undefined> {
  const program = createProgram(await readVersion(), call)
  const known = args[0] === 'version' ? ['--version'] : isUnknown(args[0], program) ? args.slice(0, 1) : args
  try {
    await program.parseAsync(known, { from: 'user' })
    return undefined
  } catch (error) {
    // Commander has printed the help, or what is wrong with the arguments.
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? undefined : error.message.replace(/^error: /, '')
  }
}

/** `nonsense --help` would show the help of everything and succeed. */
function isUnknown(first: string | undefined, { commands }: Command): boolean {
  if (first === undefined || first.startsWith('-') || first === 'help') return false
  return !commands.some((command) => command.name() === first || command.alias() === first)
}

/** The parser of all commands, from their declarations. */
export function createProgram(version: string, call: CallVerb): Command {
  const program = new Command('millrace')
    .description(ABOUT)
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .addHelpText('after', EXAMPLES + '\n' + EXITS)
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    .showHelpAfterError('Run millrace --help for all commands')
    .helpCommand('help [command]', 'show help for a command')
    .enablePositionalOptions()
  for (const verb of VERBS) {
    const command = program.command(verb.name).description(verb.summary).addHelpText('after', verb.help)
    command.showHelpAfterError(`Run millrace ${verb.name} --help for arguments and options`)
    if (verb.alias !== undefined) command.alias(verb.alias)
    for (const { usage, doc } of verb.arguments ?? []) command.argument(usage, doc)
    for (const declared of verb.options ?? []) command.addOption(parserOption(declared))
    if (verb.json !== false) command.option('--json', verb.json ?? 'print one JSON object instead of text')
    // Commander gives the arguments one by one, then the options, then the command.
    command.action((...given: unknown[]) =>
      call(verb, given.slice(0, -2), given.at(-2) as { readonly json?: true }, VERBS),
    )
  }
  return program
}

function parserOption({ flags, doc, value, default: standard }: VerbOption): Option {
  const option = new Option(flags, doc)
  if (standard !== undefined) option.default(standard)
  if (value === 'count') option.argParser(parseCount)
  else if (value === 'index') option.argParser(parseIndex)
  else if (value === 'list')
    option.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text])
  else if (value !== undefined) option.choices(value)
  return option
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a whole number greater than 0.')
  return Number(text)
}

function parseIndex(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of at least 0.')
  return Number(text)
}

export async function readVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
