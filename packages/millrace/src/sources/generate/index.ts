/**
 * Makes up records: for trying out pipelines, demonstrations and load tests.
 *
 * Record `i` depends on the seed and on `i` only, so whoever knows the seed can compute what was written (`orderAt`).
 * Records are laid out as Kafka does it, so that a Kafka sink copies them as they are, keys included.
 */
import { setImmediate } from 'node:timers/promises'
import type { Source, SourceProgress } from '../../contracts/source.ts'
import { NO_ACKNOWLEDGEMENT } from '../../records/acknowledgement.ts'
import { Batch, type BatchOrigin, type LocatedRecords } from '../../records/batch.ts'
import { defineSource } from '../../contracts/definitions.ts'
import { ConfigError } from '../../errors/index.ts'
import { putVarint } from '../../records/varint.ts'
import { LocatedRecordsBuilder, storageOfLocated } from '../../records/located-records-builder.ts'
import type { Options } from '../../options/declaration.ts'
import { sleep } from '../../resilience/retry.ts'
import { generateSourceDefinition } from './options.ts'

type GenerateOptions = Options<(typeof generateSourceDefinition)['options']>

export const generateSource = defineSource({
  ...generateSourceDefinition,
  create: (chosen, { untilEnd }) => {
    if (untilEnd && chosen.records === undefined)
      throw new ConfigError('Cannot run until the end as source "generate" has no end: set its option "records"')
    return new GenerateSource(chosen)
  },
})

/** An order as source `generate` makes it. */
export interface Order {
  readonly order_id: number
  readonly customer_id: string
  /** With at most two decimals. */
  readonly amount: number
  readonly currency: string
  readonly status: string
  readonly region: string
  readonly items: number
  /** ISO-8601. */
  readonly created_at: string
}

const CURRENCIES = ['EUR', 'USD', 'GBP', 'JPY'] as const
const STATUSES = ['paid', 'open', 'sent', 'paid', 'done', 'paid', 'late', 'void'] as const
const REGIONS = ['eu-west', 'eu-east', 'us-west', 'us-east', 'ap-west', 'ap-east', 'sa-east', 'af-west'] as const
const CUSTOMERS = 20_000
const ORDERS_PER_SECOND = 16
const FIRST_ORDER_MS = Date.UTC(2026, 0, 1)

/** The order with a number, counted from 0. */
export function orderAt(seed: number, index: number): Order {
  const a = mix(seed, index)
  const b = mix(a, index)
  return {
    order_id: index + 1,
    customer_id: customerId(a),
    amount: amountCents(a, b) / 100,
    ...choices(b),
    created_at: createdAt(Math.floor(index / ORDERS_PER_SECOND)),
  }
}

/** What is drawn from the lowest 11 bits of a number. */
function choices(b: number): Pick<Order, 'currency' | 'status' | 'region' | 'items'> {
  return {
    currency: CURRENCIES[b & 3]!,
    status: STATUSES[(b >>> 2) & 7]!,
    region: REGIONS[(b >>> 5) & 7]!,
    items: 1 + ((b >>> 8) & 7),
  }
}

function customerId(a: number): string {
  return `c-${String((a >>> 12) % CUSTOMERS).padStart(5, '0')}`
}

/** Cents from 12.50 to 800, evenly spread over their logarithm, so that 100 is in the middle. */
function amountCents(a: number, b: number): number {
  return Math.round(1250 * 64 ** ((a & 4095) / 4096)) + ((b >>> 11) & 7)
}

/**
 * Parts of orders as text, each made when it is first needed. Making text of numbers would take most of the time.
 */
class OrderTexts {
  readonly #customers: (string | undefined)[] = Array.from({ length: CUSTOMERS })
  /** By what decides over the amount: 12 bits of one number and 3 of the other. */
  readonly #amounts: (string | undefined)[] = Array.from({ length: 4096 * 8 })
  readonly #choices: (string | undefined)[] = Array.from({ length: 2048 })

  customer(a: number): string {
    return (this.#customers[(a >>> 12) % CUSTOMERS] ??= customerId(a))
  }

  /** The JSON value of an order. */
  value(index: number, a: number, b: number, customer: string, createdAt: string): string {
    const amount = (this.#amounts[((a & 4095) << 3) | ((b >>> 11) & 7)] ??= String(amountCents(a, b) / 100))
    const rest = (this.#choices[b & 2047] ??= JSON.stringify(choices(b)).slice(1, -1))
    return `{"order_id":${index + 1},"customer_id":"${customer}","amount":${amount},${rest},"created_at":"${createdAt}"}`
  }
}

function createdAt(second: number): string {
  return `${new Date(FIRST_ORDER_MS + second * 1000).toISOString().slice(0, 19)}Z`
}

/** A 32-bit hash of two numbers (the finish of murmur3). */
function mix(seed: number, index: number): number {
  let h = (seed ^ Math.imul(index + 0x9e3779b9, 0x85ebca6b)) | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const BATCH_RECORDS = 1500
/** Longest an order and its frame get. */
const RECORD_BYTES = 260
const PAUSE_MS = 20
const ORIGIN: BatchOrigin = {
  component: 'generate',
  topic: 'orders',
  partition: 0,
  partitionCount: 1,
  timestampType: 'CreateTime',
}

class GenerateSource implements Source {
  readonly valueCodec = 'json'
  readonly readsRecordBatches = false
  readonly commits = 'nothing: every run generates the same records again'
  readonly #options: GenerateOptions
  readonly #texts = new OrderTexts()
  #records = 0
  #bytes = 0

  constructor(chosen: GenerateOptions) {
    this.#options = chosen
  }

  async open(): Promise<void> {}

  async *batches(signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    const { records = Infinity, recordsPerSecond } = this.#options
    const batchRecords =
      recordsPerSecond === undefined
        ? BATCH_RECORDS
        : Math.max(1, Math.min(BATCH_RECORDS, Math.ceil((recordsPerSecond * PAUSE_MS) / 1000)))
    const started = performance.now()
    while (this.#records < records && !signal.aborted) {
      yield this.#make(Math.min(batchRecords, records - this.#records))
      const aheadMs =
        recordsPerSecond === undefined ? 0 : (this.#records / recordsPerSecond) * 1000 - (performance.now() - started)
      if (aheadMs >= 1) await sleep(aheadMs, signal).catch(() => {})
      else await setImmediate()
    }
  }

  progress(): SourceProgress {
    const { records } = this.#options
    return {
      records: this.#records,
      bytes: this.#bytes,
      lag: records === undefined ? undefined : records - this.#records,
    }
  }

  async close(): Promise<void> {}

  #make(count: number): Batch {
    const records = layOut(this.#options, this.#texts, this.#records, count)
    this.#records += count
    this.#bytes += records.bytes.length
    return new Batch(ORIGIN, storageOfLocated(records), NO_ACKNOWLEDGEMENT)
  }
}

/** Writes orders as Kafka lays out records: length and bytes of key and value, then the number of headers. */
function layOut({ seed, key }: GenerateOptions, texts: OrderTexts, first: number, count: number): LocatedRecords {
  const bytes = Buffer.allocUnsafeSlow(count * RECORD_BYTES)
  const records = new LocatedRecordsBuilder(count)
  let position = 0
  let second = -1
  let time = ''
  for (let i = 0; i < count; i++) {
    const index = first + i
    const a = mix(seed, index)
    const b = mix(a, index)
    const now = Math.floor(index / ORDERS_PER_SECOND)
    if (now !== second) {
      second = now
      time = createdAt(now)
    }
    const customer = texts.customer(a)
    const value = texts.value(index, a, b, customer, time)
    const keyText = key === 'none' ? undefined : key === 'order_id' ? String(index + 1) : customer

    const keyLength = keyText === undefined ? -1 : keyText.length

    // By hand: that all of it is ASCII saves `RecordWriter`'s look at every text, a third of the time.
    const body = position
    position = putVarint(bytes, position, keyLength)
    const keyStart = position
    if (keyText !== undefined) position += bytes.write(keyText, position, 'latin1')
    position = putVarint(bytes, position, value.length)
    const valueStart = position
    position += bytes.write(value, position, 'latin1')
    bytes[position++] = 0
    records.add(index, -1, body, keyStart, keyLength, valueStart, value.length, position)
  }
  return records.finish(bytes.subarray(0, position))
}
