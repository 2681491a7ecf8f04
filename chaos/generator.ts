/** The usual input: integers at a known rate, each with one of a hundred keys, by an idempotent producer of its own. */
import { KafkaSink } from '../packages/millrace/src/index.ts'
import type { ProducerRecord } from '../packages/millrace/src/records/record.ts'
import type { Properties } from './pipeline-file.ts'
import { type Input, Integers } from './input.ts'

export const KEYS = 100
const TICK_MS = 20
/** Calls that may wait for their acknowledgement, for instance while a broker is down. */
const OPEN_CALLS = 200
/** Records of one call. */
const MOST_OF_CALL = 2000

/** The record of an integer, as it goes in. */
export function recordOf(n: number, padding = 0): { readonly key: string; readonly value: string } {
  return { key: keyOf(n), value: padding === 0 ? `{"n":${n}}` : `{"n":${n},"padding":"${'x'.repeat(padding)}"}` }
}

export function keyOf(n: number): string {
  return `k${n % KEYS}`
}

export interface GeneratorOptions {
  readonly bootstrapServers: string
  readonly topic: string
  /** Integers per second. */
  readonly rate: number
  /** Bytes that each value has beside its integer. */
  readonly padding?: number
  /** Nothing is written before. */
  readonly ready?: Promise<void>
  /** Integers that are written at once, at the beginning. */
  readonly backlog?: number
  /** Where an integer is written; undefined leaves it out. By default where its key belongs. */
  readonly route?: (n: number) => Pick<ProducerRecord, 'partition'> | undefined
  /** Of the producer. */
  readonly properties?: Properties
  /** Further records that are written after an integer; they must not come out. */
  readonly besides?: (n: number) => readonly ProducerRecord[]
}

export class Generator implements Input {
  readonly expected = new Integers()
  readonly #options: GeneratorOptions
  readonly #sink: KafkaSink
  readonly #open = new Set<Promise<void>>()
  readonly #running: Promise<void>
  #failure: Error | undefined
  #isStopped = false

  constructor(options: GeneratorOptions) {
    const { bootstrapServers, topic, properties } = options
    this.#options = options
    this.#sink = new KafkaSink({
      bootstrapServers,
      topic,
      'delivery.timeout.ms': 300_000,
      retries: 0x7fffffff,
      'max.request.size': 16 << 20,
      // By default they would be so small that records which have to be too large are forwarded.
      'compression.type': 'none',
      ...properties,
    })
    this.#running = this.#run()
    // Reported by `stop`.
    this.#running.catch(() => {})
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    try {
      await this.#running
      await Promise.all(this.#open)
    } finally {
      await this.#sink.close()
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  async #run(): Promise<void> {
    const { ready, rate, backlog = 0, padding, besides, route } = this.#options
    await ready
    const started = performance.now()
    let n = 0
    while (!this.#isStopped) {
      const due = backlog + Math.ceil(((performance.now() - started) / 1000) * rate)
      const records: ProducerRecord[] = []
      while (n < due && records.length < MOST_OF_CALL) {
        n++
        const place = route === undefined ? {} : route(n)
        if (place === undefined) continue
        records.push({ ...recordOf(n, padding), ...place }, ...(besides?.(n) ?? []))
        this.expected.add(n)
      }
      if (records.length > 0) this.#write(records)
      if (this.#open.size >= OPEN_CALLS) await Promise.race(this.#open)
      await new Promise((resolve) => setTimeout(resolve, TICK_MS))
    }
  }

  #write(records: readonly ProducerRecord[]): void {
    const call = this.#sink
      .write(records)
      .then(
        ({ failures }) => {
          for (const failure of failures.values()) this.#failure ??= failure
        },
        (error: unknown) => {
          this.#failure ??= error as Error
        },
      )
      .finally(() => this.#open.delete(call))
    this.#open.add(call)
  }
}
