/**
 * Makes up records for trying out connectors: the `datagen` source of Rivven. For load there is `generate`.
 *
 * With a seed, record `i` depends on seed and `i` only, except for its `timestamp`.
 */
import type { Source, SourceProgress } from '../../contracts/source.ts'
import { NO_ACKNOWLEDGEMENT } from '../../records/acknowledgement.ts'
import { Batch, type BatchOrigin } from '../../records/batch.ts'
import { defineSource } from '../../contracts/definitions.ts'
import { ConfigError } from '../../errors/index.ts'
import { makeRecords } from '../../records/make-records.ts'
import type { Options } from '../../options/declaration.ts'
import { sleep } from '../../resilience/retry.ts'
import { datagenFields, datagenRules, type PATTERNS } from './options.ts'

export const datagenSource = defineSource({
  name: 'datagen',
  summary: 'Generates records of several kinds at a steady rate.',
  options: datagenFields,
  rules: datagenRules,
  examples: [{ title: 'A thousand orders', options: { pattern: 'orders', max_events: 1000, seed: 7 } }],
  create: (chosen, { untilEnd }) => {
    if (untilEnd && chosen.max_events === 0)
      throw new ConfigError('Cannot run until the end as source "datagen" has no end: set its option "max_events"')
    return new DatagenSource(chosen)
  },
})

/** Records that wait for the rate are made in groups of so many a second at the least. */
const GROUPS_PER_SECOND = 10

class DatagenSource implements Source {
  readonly valueCodec = 'json'
  readonly readsRecordBatches = false
  readonly commits = 'nothing: every run starts from the beginning'
  readonly #options: Options<typeof datagenFields>
  readonly #seed: number
  readonly #origin: BatchOrigin
  #records = 0
  #bytes = 0

  constructor(chosen: Options<typeof datagenFields>) {
    this.#options = chosen
    this.#seed = chosen.seed ?? Math.floor(Math.random() * 2 ** 32)
    this.#origin = {
      component: 'datagen',
      topic: chosen.stream_name,
      partition: 0,
      partitionCount: 0,
      timestampType: 'CreateTime',
    }
  }

  async open(): Promise<void> {}

  async *batches(signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    const { batch_size: batchSize, events_per_second: perSecond, max_events: most } = this.#options
    const end = most === 0 ? Infinity : most
    const group =
      perSecond === 0 ? batchSize : Math.max(1, Math.min(batchSize, Math.floor(perSecond / GROUPS_PER_SECOND)))
    const started = performance.now()
    while (this.#records < end && !signal.aborted) {
      yield this.#make(Math.min(group, end - this.#records))
      const aheadMs = perSecond === 0 ? 0 : (this.#records / perSecond) * 1000 - (performance.now() - started)
      await sleep(Math.max(0, aheadMs), signal).catch(() => {})
    }
  }

  progress(): SourceProgress {
    const { max_events: most } = this.#options
    return { records: this.#records, bytes: this.#bytes, lag: most === 0 ? undefined : most - this.#records }
  }

  async close(): Promise<void> {}

  #make(count: number): Batch {
    const first = this.#records
    const now = Date.now()
    const { pattern } = this.#options
    const records = Array.from({ length: count }, (_, i) => {
      const index = first + i
      const document = this.#document(index, now)
      return {
        offset: index,
        value: JSON.stringify(document),
        timestampMs: now,
        ...(pattern === 'key_value' ? { key: String(document['key']) } : {}),
      }
    })
    const storage = makeRecords(records)
    this.#records += count
    this.#bytes += storage.byteLength
    return new Batch(this.#origin, storage, NO_ACKNOWLEDGEMENT)
  }

  #document(index: number, now: number): { readonly [name: string]: unknown } {
    const {
      pattern,
      include_sequence: hasSequence,
      include_timestamp: hasTimestamp,
      custom_fields: custom,
    } = this.#options
    return {
      ...(hasSequence ? { sequence: index } : {}),
      ...MAKERS[pattern](new Dice(this.#seed, index), index),
      ...(hasTimestamp ? { timestamp: new Date(now).toISOString() } : {}),
      ...custom,
    }
  }
}

/** Random numbers that depend on a seed and the number of a record only (mulberry32). */
class Dice {
  #state: number

  constructor(seed: number, index: number) {
    this.#state = (seed ^ Math.imul(index + 1, 0x9e3779b9)) | 0
  }

  /** A number from 0 to 1. */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  whole(from: number, to: number): number {
    return from + Math.floor(this.roll() * (to - from + 1))
  }

  decimal(from: number, to: number): number {
    return Math.round((from + this.roll() * (to - from)) * 100) / 100
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.roll() * values.length)]!
  }
}

type Maker = (dice: Dice, index: number) => { readonly [name: string]: unknown }

const MAKERS: { readonly [P in (typeof PATTERNS)[number]]: Maker } = {
  sequence: (_, index) => ({ id: index, value: `value-${index}` }),
  random: (dice) => ({
    id: dice.whole(0, 999_999),
    value: dice.decimal(0, 1000),
    flag: dice.roll() < 0.5,
    category: dice.pick(['a', 'b', 'c', 'd']),
  }),
  users: (dice, index) => {
    const name = dice.pick(['Ann', 'Bob', 'Cid', 'Dee', 'Eve', 'Fay', 'Gus', 'Ida'])
    return {
      id: index + 1,
      name,
      email: `${name.toLowerCase()}${index + 1}@example.com`,
      age: dice.whole(18, 90),
      active: dice.roll() < 0.8,
    }
  },
  orders: (dice, index) => {
    const quantity = dice.whole(1, 10)
    const price = dice.decimal(1, 500)
    return {
      order_id: index + 1,
      customer_id: dice.whole(1, 1000),
      product: dice.pick(['chair', 'table', 'lamp', 'desk', 'sofa']),
      quantity,
      price,
      total: Math.round(quantity * price * 100) / 100,
      status: dice.pick(['pending', 'paid', 'shipped', 'delivered', 'cancelled']),
    }
  },
  events: (dice) => ({
    event: dice.pick(['page_view', 'click', 'search', 'purchase', 'logout']),
    user_id: dice.whole(1, 10_000),
    session_id: dice.whole(0, 0xffffffff).toString(16).padStart(8, '0'),
    page: dice.pick(['/', '/products', '/cart', '/checkout', '/account']),
    duration_ms: dice.whole(10, 60_000),
  }),
  metrics: (dice) => ({
    metric: dice.pick(['cpu', 'memory', 'disk', 'network']),
    host: `host-${dice.whole(1, 20)}`,
    value: dice.decimal(0, 100),
    unit: 'percent',
  }),
  key_value: (dice) => ({ key: `key-${dice.whole(0, 999)}`, value: dice.whole(0, 1_000_000) }),
}
