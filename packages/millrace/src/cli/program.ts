/**
 * The arguments of the command line and what `--help` teaches.
 */
import { Command, CommanderError } from 'commander'
import { readFile } from 'node:fs/promises'
import { type Commands } from './commands.ts'
import { EXIT_CODES } from './exit-code.ts'

const ABOUT = `Moves records through Apache Kafka, as a pipeline file says: one source, some stages, one sink.`

const EXAMPLES = `
Where to begin:
  1. Write a pipeline file, orders.yaml:

       source:
         type: kafka
         options: { topic: orders, bootstrapServers: "localhost:9092", auto.offset.reset: earliest }
       stages:
         - $match: { amount: { $gte: 100 } }
       sink:
         type: kafka
         options: { topic: orders-high-value, bootstrapServers: "localhost:9092", acks: all }

  2. millrace lint orders.yaml              finds mistakes, with line and column
  3. millrace explain orders.yaml           tells what it will do, and what it guarantees
  4. millrace run orders.yaml --until-end   moves what is there now, then stops

Files may be YAML, JSON or TOML; \${NAME} and \${NAME:-default} are environment variables.`

const EXITS = `
Exit codes:
${Object.entries(EXIT_CODES)
  .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  .join('\n')}`

const RUN_HELP = `
Reads, changes and writes until it is stopped. Offsets are committed only after the sink has acknowledged, so a run that
is killed loses nothing: the next one goes on where the last commit was.

Ctrl-C or SIGTERM stops gracefully: what is in flight is delivered and committed. A second one stops at once.
On a terminal a line shows the progress; otherwise standard error gets one line of JSON every 10 seconds.

Examples:
  millrace run orders.yaml                     until Ctrl-C
  millrace run orders.yaml --until-end         up to the records that were there at the start
  millrace run orders.yaml --until-end --json  one JSON object on standard output at the end`

const LINT_HELP = `
Checks everything that can be known without a broker: names, types and ranges of options, rules across them, stages,
environment variables. Every problem is one line: FILE:LINE:COLUMN path: message (suggestion). Exit code 2 if there is any.

Examples:
  millrace lint orders.yaml
  millrace lint pipelines/*.yaml --json`

const EXPLAIN_HELP = `
Tells how a pipeline would run, without connecting to anything: what is read and written, the lane that values take
(verbatim, bytes or documents) and why, the delivery guarantee, who commits what and when, what bounds memory.

Example:
  millrace explain orders.yaml`

/**
 * Reads the arguments and calls the command.
 *
 * @param args without the names of program and script
 * @returns false when the arguments are wrong, which has been said then
 */
export async function callCommand(args: readonly string[], commands: Commands): Promise<boolean> {
  const program = new Command('millrace')
    .description(ABOUT)
    .version(await readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help, or that of a command')
    .addHelpText('after', EXAMPLES + '\n' + EXITS)
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    .enablePositionalOptions()

  program
    .command('run')
    .description('run a pipeline file')
    .argument('<file>', 'pipeline file')
    .option('--until-end', 'stop at the end of what is there when it starts')
    .option('--json', 'print one JSON object at the end')
    .addHelpText('after', RUN_HELP)
    .action(commands.run)

  program
    .command('lint')
    .description('check pipeline files')
    .argument('<files...>', 'pipeline files')
    .option('--json', 'print one JSON object instead of lines')
    .addHelpText('after', LINT_HELP)
    .action(commands.lint)

  program
    .command('explain')
    .description('tell how a pipeline file would run')
    .argument('<file>', 'pipeline file')
    .option('--json', 'print one JSON object instead of text')
    .addHelpText('after', EXPLAIN_HELP)
    .action(commands.explain)

  try {
    await program.parseAsync(args, { from: 'user' })
    return true
  } catch (error) {
    // Commander has printed the help, or what is wrong with the arguments.
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0
  }
}

async function readVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
