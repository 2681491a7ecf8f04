/**
 * How a command is declared: once, with its arguments, options and help. The parser (`program.ts`), shell completion and
 * docs/cli.md are derived from it.
 */
import { DIALECTS } from '../../dialects/dialect.ts'
import type { Outcome } from '../output.ts'

export interface VerbOption {
  /** As the parser wants it: `--max <count>`, `-o, --option <name=value>`. */
  readonly flags: string
  readonly doc: string
  /** What it must be one of; `count` for a whole number from 1, `index` for one from 0, `list` for an option that may be repeated. */
  readonly value?: readonly string[] | 'count' | 'index' | 'list'
  readonly default?: unknown
}

/** What a run logs: everything, warnings and errors, or errors alone. */
export const LOG_LEVELS = ['info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** How a pipeline file is to be read. */
export const READING: readonly VerbOption[] = [
  {
    flags: '--env-file <file>',
    doc: 'file of environment variables, NAME=value in each line; those that are set already win; may be repeated. Node reads the file first: if it is missing, Node says so and exits with 9',
    value: 'list',
  },
  {
    flags: '--connections <file>',
    doc: 'connections file for connectionRef; replaces the connections of the pipeline file',
  },
  {
    flags: '--dialect <shape>',
    doc: 'dialect of the pipeline file, if it is not recognised correctly',
    value: DIALECTS,
  },
]

/** Which of several sources of a file. */
export const WHICH: readonly VerbOption[] = [
  { flags: '--stage <id>', doc: 'source stage of a stage graph (default: the first one)' },
  { flags: '--pipeline <name>', doc: 'pipeline, in a file with several (default: the first one)' },
]

export interface Verb<O = never> {
  readonly name: string
  readonly alias?: string
  /** What it does, without a period. */
  readonly summary: string
  readonly arguments?: readonly {
    readonly usage: string
    readonly doc: string
    /** What shells offer: these words, or the names of all components; files when omitted. */
    readonly values?: readonly string[] | 'components'
  }[]
  readonly options?: readonly VerbOption[]
  /** What `--json` prints; false for a command whose output is not for people, and which has no such option. */
  readonly json?: string | false
  /** What `--help` teaches below the options. */
  readonly help: string
  /** Loads the command and runs it; `args` as declared. @param verbs all commands, for one that looks at the others */
  readonly run: (args: never, options: O, verbs: readonly Verb[]) => Promise<Outcome>
}
