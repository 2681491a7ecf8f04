/**
 * Spans of batches: one for each batch that is processed, and one for each call that writes; never one for a record. Names and attributes
 * follow the conventions for messaging.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/kafka/
 */
import type { Attributes, Context, Link, Span, SpanKind } from '@opentelemetry/api'
import { isMillraceError } from '../errors/index.ts'
import type { Batch } from '../records/batch.ts'
import { type TelemetryApi, tracingApi } from './api.ts'
import { type ContextHeaders, headersIn, headersOf, linksOf } from './record-context.ts'

const TRACER = 'millrace'

/** Who processes batches. */
export interface Processor {
  readonly groupId?: string | undefined
  readonly clientId?: string | undefined
  /** Name of the pipeline; undefined in a program. */
  readonly pipeline?: string | undefined
  /** Whether it may forward record batches as they were read: then there are no links, as records would have to be decompressed. */
  readonly forwards?: boolean | undefined
}

/** A span that has begun. */
export class BatchSpan {
  readonly #api: TelemetryApi
  readonly #span: Span
  readonly #context: Context
  #isEnded = false
  #parts = 0

  constructor(api: TelemetryApi, span: Span) {
    this.#api = api
    this.#span = span
    this.#context = api.trace.setSpan(api.context.active(), span)
  }

  /** Headers that carry its context. */
  get headers(): ContextHeaders {
    return headersOf(this.#api, this.#context)
  }

  /** Calls a function in its context: spans that it begins are children. */
  run<R>(act: () => R): R {
    return this.#api.context.with(this.#context, act)
  }

  /** Something in it failed. */
  failed(error: unknown): void {
    if (this.#isEnded) return
    const message = error instanceof Error ? error.message : String(error)
    this.#span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message })
    this.#span.setAttribute('error.type', isMillraceError(error) ? error.code : 'UNEXPECTED')
    this.#span.recordException(error instanceof Error ? error : message)
  }

  /** May be called twice. */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#span.end()
  }

  /** It ends when so many parts of it have. */
  consistsOf(parts: number): void {
    this.#parts = parts
  }

  partEnded(): void {
    if (--this.#parts === 0) this.end()
  }

  /** Follows work to its end. */
  async follow<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await this.run(work)
    } catch (error) {
      this.failed(error)
      throw error
    } finally {
      this.end()
    }
  }
}

/**
 * Begins the span of a batch that is about to be processed, with links to the spans that wrote its records.
 * @returns undefined while nothing records traces
 */
export function processSpan(batch: Batch, { groupId, clientId, pipeline, forwards }: Processor): BatchSpan | undefined {
  const api = tracingApi()
  if (api === undefined) return undefined
  const links = forwards === true && batch.raw !== undefined ? [] : linksOf(api, headersIn(batch))
  return spanOf(api, `process ${batch.topic}`, api.SpanKind.CONSUMER, links, {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': batch.topic,
    'messaging.destination.partition.id': String(batch.partition),
    'messaging.kafka.offset': Number(batch.firstOffset),
    'messaging.batch.message_count': batch.length,
    ...(groupId === undefined ? {} : { 'messaging.consumer.group.name': groupId }),
    ...(clientId === undefined ? {} : { 'messaging.client.id': clientId }),
    ...(pipeline === undefined ? {} : { 'millrace.pipeline': pipeline }),
  })
}

/** What is written. */
export interface Sent {
  readonly topic: string | undefined
  readonly clientId: string
  readonly count: number
  /** Headers of the records that have some: what wrote them first is linked. */
  readonly headers: Iterable<ContextHeaders>
}

/** Begins the span of a call that writes. @returns undefined while nothing records traces */
export function sendSpan({ topic, clientId, count, headers }: Sent): BatchSpan | undefined {
  const api = tracingApi()
  if (api === undefined) return undefined
  const name = topic === undefined ? 'send' : `send ${topic}`
  return spanOf(api, name, api.SpanKind.PRODUCER, linksOf(api, headers), {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.client.id': clientId,
    'messaging.batch.message_count': count,
    ...(topic === undefined ? {} : { 'messaging.destination.name': topic }),
  })
}

function spanOf(api: TelemetryApi, name: string, kind: SpanKind, links: Link[], attributes: Attributes): BatchSpan {
  return new BatchSpan(api, api.trace.getTracer(TRACER).startSpan(name, { kind, links, attributes }))
}
