/** What a runner is asked and what it answers: one JSON argument, one JSON line. */

export interface ConsumeTask {
  bootstrapServers: string
  topic: string
  groupId: string
  /** Stop after so many. */
  records: number
}

export interface ProduceTask {
  bootstrapServers: string
  topic: string
  records: number
}

/** Records per call of a producer's send. */
export const CHUNK = 10_000

/** Calls that wait for their acknowledgements at the same time. */
export const CALLS_IN_FLIGHT = 8

export function task<T>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T
}

export function done(answer: { records: number; seconds: number; [more: string]: unknown }): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0))
}

/** Values of 100 capital letters, made before the clock runs; the same ones in every run. */
export function hundredByteValues(count: number): Buffer[] {
  let state = 1
  const next = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0)
  return Array.from({ length: count }, () =>
    Buffer.from(Array.from({ length: 100 }, () => 65 + ((next() >>> 16) % 26))),
  )
}

/**
 * Sends records in chunks, a few calls at a time, until all are acknowledged.
 *
 * @param send writes one chunk; called again before earlier calls have resolved
 */
export async function sendAll(records: number, send: (values: readonly Buffer[]) => Promise<unknown>): Promise<void> {
  const values = hundredByteValues(CHUNK)
  const inFlight = new Set<Promise<unknown>>()
  let failure: { error: unknown } | undefined
  for (let sent = 0; sent < records && failure === undefined; sent += CHUNK) {
    const chunk = records - sent < CHUNK ? values.slice(0, records - sent) : values
    const call: Promise<unknown> = send(chunk)
      .catch((error: unknown) => (failure ??= { error }))
      .finally(() => inFlight.delete(call))
    inFlight.add(call)
    if (inFlight.size >= CALLS_IN_FLIGHT) await Promise.race(inFlight)
  }
  await Promise.all(inFlight)
  if (failure !== undefined) throw failure.error
}
