/**
 * The trace that skipped records leave in the log: the first few of each error code, then one a minute with how many there were.
 */
import type { RunOptions } from '../plan.ts'
import type { Failure } from './failures.ts'

const FIRST = 3
const INTERVAL_MS = 60_000

interface Seen {
  count: number
  unsaid: number
  saidMs: number
}

/** @param now milliseconds; grows @returns called with each record that is skipped */
export function createSkipTrace(
  warn: RunOptions['warn'],
  now: () => number = () => performance.now(),
): (failure: Failure) => void {
  const byCode = new Map<string, Seen>()
  return ({ batch, row, error: { code, message } }) => {
    let seen = byCode.get(code)
    if (seen === undefined) byCode.set(code, (seen = { count: 0, unsaid: 0, saidMs: 0 }))
    seen.count++
    if (seen.count > FIRST && now() - seen.saidMs < INTERVAL_MS) {
      seen.unsaid++
      return
    }
    const { topic, partition } = batch
    const more = seen.unsaid === 0 ? {} : { notShown: seen.unsaid }
    warn(`A record was skipped: ${code}: ${message}`, {
      event: 'record.skipped',
      code,
      topic,
      partition,
      offset: String(batch.offset(row)),
      ...more,
    })
    seen.saidMs = now()
    seen.unsaid = 0
  }
}
