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

export interface LatencyTask extends ProduceTask {
  /** Records before those whose times count. */
  warmUp: number
  /** Records that are due per second; 0 for one at a time. */
  perSecond: number
  lingerMs: number
}

export interface AvroTask {
  /** Address of the registry, and the id of the schema there. */
  registry: string
  id: number
  schema: string
  /** File with orders as JSON, one a line, of which the values are made. */
  file: string
  records: number
  mode: 'millrace' | 'avsc'
}

export interface SteadyTask {
  bootstrapServers: string
  topic: string
  groupId: string
  /** Time before the one that counts. */
  warmUpSeconds: number
  seconds: number
}

export interface SendTask extends ProduceTask {
  /** How many await a `send` at the same time. */
  callers: number
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

export function percentiles(milliseconds: Float64Array): { p50: number; p99: number; p999: number } {
  const sorted = milliseconds.toSorted()
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
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

/**
 * Callers that each send a record, await its acknowledgement and send the next one, until all records are sent.
 *
 * @param send writes one record and resolves when it is acknowledged
 */
export async function callers(
  count: number,
  records: number,
  send: (value: Buffer) => Promise<unknown>,
): Promise<void> {
  const values = hundredByteValues(CHUNK)
  let next = 0
  const call = async (): Promise<void> => {
    while (next < records) await send(values[next++ % CHUNK]!)
  }
  await Promise.all(Array.from({ length: count }, call))
}
