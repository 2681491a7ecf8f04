/**
 * The one place that turns an error into an exit code.
 */
import { ERROR_CODES, isMillraceError } from '../errors/index.ts'
import { reasonOf } from '../errors/meaning.ts'

export const EXIT_CODES = {
  0: 'success; also after one SIGINT, SIGTERM or SIGHUP, when records in flight have been delivered and committed',
  1: 'failure at run time: a record or a stage failed, or a broker refused a request',
  2: 'error in the configuration or on the command line',
  3: 'the environment is not ready: a broker is unreachable, credentials are refused, or a topic or file is missing',
  129: 'stopped at once by SIGHUP: the second signal for run, the first one for other commands',
  130: 'stopped at once by SIGINT: the second signal for run, the first one for other commands',
  143: 'stopped at once by SIGTERM: the second signal for run, the first one for other commands',
} as const

export type ExitCode = keyof typeof EXIT_CODES

export const INTERRUPTED = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const satisfies {
  readonly [signal: string]: ExitCode
}

/** Exit code of an error; what Millrace does not know is a fault of its own. */
export function exitCodeOf(error: unknown): 1 | 2 | 3 {
  if (!isMillraceError(error)) return 1
  return ERROR_CODES[reasonOf(error).code].exit
}
