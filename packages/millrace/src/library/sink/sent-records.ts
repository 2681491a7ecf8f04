/** The span of a call that writes, and its records with the headers that carry its context. */
import type { DeliveryReports } from '../../kafka/producer/reports.ts'
import { isTracing } from '../../telemetry/api.ts'
import { type BatchSpan, sendSpan } from '../../telemetry/batch-span.ts'
import type { ContextHeaders } from '../../telemetry/record-context.ts'
import { pairsOf } from './headers.ts'
import type { SinkRecord } from './message.ts'

const TRACE_PARENT = 'traceparent'

/** Who sends, and where to. */
interface Sender {
  readonly topic: string | undefined
  readonly cluster: { readonly clientId: string | undefined }
}

export class SentRecords<T> {
  readonly records: readonly SinkRecord<T>[]
  readonly #span: BatchSpan

  constructor(records: readonly SinkRecord<T>[], span: BatchSpan) {
    this.#span = span
    const { headers } = span
    this.records = headers.length === 0 ? records : records.map((record) => withContext(record, headers))
  }

  /** It ends when they are settled. */
  follow(reports: Promise<DeliveryReports>): void {
    reports.then(
      ({ failures }) => this.ended(failures.values().next().value),
      (error: unknown) => this.ended(error),
    )
  }

  /** @param error of what failed; undefined when everything was written */
  ended(error?: unknown): void {
    if (error !== undefined) this.#span.failed(error)
    this.#span.end()
  }
}

/** @returns undefined while nothing records traces, which is found out without any work */
export function sentRecords<T>(records: readonly SinkRecord<T>[], sender: Sender): SentRecords<T> | undefined {
  if (!isTracing() || !Array.isArray(records)) return undefined
  const given = records as readonly SinkRecord<T>[]
  const span = sendSpan({
    topic: sender.topic ?? given[0]?.topic,
    clientId: sender.cluster.clientId ?? 'millrace',
    count: given.length,
    headers: given.map((record) => headersOf(record) ?? []),
  })
  return span && new SentRecords(given, span)
}

/** A record that was forwarded keeps the context with which it was created. Anything that is no record is for the producer to refuse. */
function withContext<T>(record: SinkRecord<T>, context: ContextHeaders): SinkRecord<T> {
  const headers = headersOf(record)
  if (headers === undefined || headers.some(([name]) => name.toLowerCase() === TRACE_PARENT)) return record
  // Records that were read have their fields as getters, which a spread would lose.
  const { key, value, topic, partition, timestampMs } = record
  return { key, value, topic, partition, timestampMs, headers: [...headers, ...context] }
}

/** Undefined for what is no record. */
function headersOf(record: SinkRecord<unknown>): ContextHeaders | undefined {
  if (typeof record !== 'object' || record === null) return undefined
  const pairs = pairsOf(record.headers)
  return pairs?.every((pair) => Array.isArray(pair) && typeof pair[0] === 'string') === true
    ? (pairs as ContextHeaders)
    : undefined
}
