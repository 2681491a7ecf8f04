/**
 * Waiting for a registry that is down: for as long as it takes, as records must neither be skipped nor dead-lettered for it. Waiting ends
 * with the signal.
 */
import type { SchemaUse } from '../../contracts/schemas.ts'
import { ConnectionError, UnexpectedError } from '../../errors/index.ts'
import { untilAborted } from '../../resilience/abort.ts'
import { guarded } from '../../resilience/background.ts'
import { backoffMs, sleep } from '../../resilience/retry.ts'

const BACKOFF = { initialMs: 500, maxMs: 10_000 } as const
/** After which the operator hears of it. */
const QUIET_MS = 5000

/** Where waiting is reported: in the log after a while, in the state of the pipeline at once. */
type Listeners = Pick<SchemaUse, 'warn' | 'waits'>

/**
 * @param what is waited for, for a warning: `the schema registry at "http://localhost:8081"`
 * @throws what `call` throws, except that the registry is down; {AbortedError} when the signal fires; {UnexpectedError} when a listener
 *   throws
 */
export async function patiently<T>(
  what: string,
  call: () => Promise<T>,
  { signal, warn, waits }: Listeners & { readonly signal: AbortSignal },
): Promise<T> {
  let hasWarned = false
  let reason = ''
  let over: (() => void) | undefined
  const tell = (): void => {
    over?.()
    over = waits?.(`waiting for ${what}: reading is paused until it answers${reason}`)
  }
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  const report = (): void => {
    hasWarned = true
    tell()
    warn(`Waiting for ${what}: reading is paused until it answers${reason}`)
  }
  const timer = setTimeout(
    guarded(report, (cause) =>
      failed.abort(new UnexpectedError(`Cannot report waiting for ${what} as the callback for it failed`, { cause })),
    ),
    QUIET_MS,
  )
  timer.unref()
  try {
    for (let attempt = 1; ; attempt++)
      try {
        return await untilAborted(call(), `Waiting for ${what}`, stop)
      } catch (error) {
        if (!(error instanceof ConnectionError && error.retriable)) throw error
        reason = `. ${error.message}`
        tell()
        await sleep(backoffMs(attempt, BACKOFF), stop)
      }
  } catch (error) {
    failed.signal.throwIfAborted()
    throw error
  } finally {
    clearTimeout(timer)
    over?.()
    if (hasWarned && !stop.aborted) warn(`No longer waiting for ${what}`)
  }
}
