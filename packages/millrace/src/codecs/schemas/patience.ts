/**
 * Waiting for a registry that is down: for as long as it takes, as records must neither be skipped nor dead-lettered for it. Waiting ends
 * with the signal.
 */
import { ConnectionError } from '../../errors/index.ts'
import { untilAborted } from '../../resilience/abort.ts'
import { backoffMs, sleep } from '../../resilience/retry.ts'

const BACKOFF = { initialMs: 500, maxMs: 10_000 } as const
/** After which the operator hears of it. */
const QUIET_MS = 5000

/**
 * @param what is waited for, for a warning: `the schema registry at "http://localhost:8081"`
 * @throws what `call` throws, except that the registry is down; {AbortedError} when the signal fires
 */
export async function patiently<T>(
  what: string,
  call: () => Promise<T>,
  { signal, warn }: { readonly signal: AbortSignal; readonly warn: (message: string) => void },
): Promise<T> {
  let hasWarned = false
  let reason = ''
  const timer = setTimeout(() => {
    hasWarned = true
    warn(`Waiting for ${what}: reading is paused until it answers${reason}`)
  }, QUIET_MS)
  timer.unref()
  try {
    for (let attempt = 1; ; attempt++)
      try {
        return await untilAborted(call(), `Waiting for ${what}`, signal)
      } catch (error) {
        if (!(error instanceof ConnectionError && error.retriable)) throw error
        reason = `. ${error.message}`
        await sleep(backoffMs(attempt, BACKOFF), signal)
      }
  } finally {
    clearTimeout(timer)
    if (hasWarned && !signal.aborted) warn(`No longer waiting for ${what}`)
  }
}
