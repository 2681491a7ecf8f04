/**
 * The one place that turns an error into an exit code.
 */
import { BatchError, ERROR_CODES, isMillraceError } from '../errors/index.ts'

export const EXIT_CODES = {
  0: 'done, or stopped by one SIGINT or SIGTERM after everything in flight was delivered and committed',
  1: 'it failed while it ran: a record, a stage, a broker that refused',
  2: 'the configuration or the command line is wrong',
  3: 'the environment is not ready: broker unreachable, credentials refused, topic or file missing',
  130: 'SIGINT stopped it at once: the second one a run, the first one everything else',
  143: 'SIGTERM stopped it at once, in the same way',
} as const

export type ExitCode = keyof typeof EXIT_CODES

export const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const satisfies { readonly [signal: string]: ExitCode }

/** Exit code of an error; what Millrace does not know is a fault of its own. */
export function exitCodeOf(error: unknown): 1 | 2 | 3 {
  if (!isMillraceError(error)) return 1
  if (error instanceof BatchError) return exitCodeOf(error.failures.values().next().value)
  return ERROR_CODES[error.code].exit
}
