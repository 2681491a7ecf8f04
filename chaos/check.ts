/** Reads what came out, by Kafka's own Java consumer and by ours, and compares it with what went in. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { KafkaCluster } from '../test-bed/kafka.ts'
import { KafkaSink, KafkaSource } from '../packages/millrace/src/index.ts'
import { keyOf } from './generator.ts'
import type { Integers } from './input.ts'

/** Value of the record with which each partition is closed before Java reads it: no offset tells where a transactional topic ends. */
const END = 'end'
/** So long may nothing come of what is read; how long all of it takes depends on the machine. */
const SILENCE_TIMEOUT_MS = 120_000
const EXAMPLES = 5

export interface Counts {
  readonly output: number
  readonly lost: number
  readonly repeated: number
  readonly outOfOrder: number
  /** Records that are not what was put in: a text for each kind, with an example. */
  readonly strange: readonly string[]
}

/** Counts records as they are read, in order per partition. */
export class Tally {
  readonly #expected: Integers
  readonly #possible: Integers | undefined
  /** Offset of the first record of each integer. */
  readonly #seen = new Map<number, number>()
  readonly #again: string[] = []
  readonly #late: string[] = []
  readonly #last = new Map<string, { n: number; partition: number }>()
  readonly #strange = new Map<string, string>()
  #output = 0
  /** Expected integers that came out. */
  #found = 0
  #repeated = 0
  #outOfOrder = 0

  /** @param possible further integers that may come out */
  constructor(expected: Integers, possible?: Integers) {
    this.#expected = expected
    this.#possible = possible
  }

  add(partition: number, offset: number, key: string | null, value: string | null): void {
    this.#output++
    const n = Number(/^\{"n":(\d+)[,}]/.exec(value ?? '')?.[1])
    const isExpected = this.#expected.has(n)
    if (!isExpected && this.#possible?.has(n) !== true) return this.#note('not in the input', partition, key, value)
    if (key !== keyOf(n)) return this.#note('with another key', partition, key, value)
    const first = this.#seen.get(n)
    if (first !== undefined) {
      this.#repeated++
      if (this.#again.length < EXAMPLES) this.#again.push(`${n} in partition ${partition} at ${first} and ${offset}`)
      return
    }
    this.#seen.set(n, offset)
    if (isExpected) this.#found++
    const last = this.#last.get(key)
    if (last !== undefined && last.partition !== partition)
      this.#note('in another partition than others of its key', partition, key, value)
    if (last !== undefined && last.n > n) {
      this.#outOfOrder++
      if (this.#late.length < EXAMPLES) this.#late.push(`${n} after ${last.n} in partition ${partition} at ${offset}`)
    } else this.#last.set(key, { n, partition })
  }

  counts(): Counts {
    return {
      output: this.#output,
      lost: this.#expected.size - this.#found,
      repeated: this.#repeated,
      outOfOrder: this.#outOfOrder,
      strange: [...this.#strange.values()],
    }
  }

  /** Some of what is lost, repeated and out of order, to find out why. */
  examples(): {
    readonly lost: readonly number[]
    readonly repeated: readonly string[]
    readonly outOfOrder: readonly string[]
  } {
    const lost: number[] = []
    for (let n = 1; n <= this.#expected.last && lost.length < EXAMPLES; n++) {
      if (this.#expected.has(n) && !this.#seen.has(n)) lost.push(n)
    }
    return { lost, repeated: this.#again, outOfOrder: this.#late }
  }

  #note(kind: string, partition: number, key: string | null, value: string | null): void {
    if (!this.#strange.has(kind))
      this.#strange.set(kind, `a record ${kind}: partition ${partition}, key ${key}, value ${value?.slice(0, 200)}`)
  }
}

/** Reads a topic to its end with our own consumer, `read_committed`. */
export async function readWithOurs(bootstrapServers: string, topic: string, tally: Pick<Tally, 'add'>): Promise<void> {
  await using source = new KafkaSource({
    bootstrapServers,
    topics: topic,
    untilEnd: true,
    'isolation.level': 'read_committed',
  })
  for await (const { partition, offset, key, value } of source) {
    const text = value?.toString() ?? null
    if (text !== END) tally.add(partition, Number(offset), key?.toString() ?? null, text)
  }
}

/**
 * Reads a topic to its end with Java's console consumer, `read_committed`. Appends a record to each partition.
 *
 * @throws {Error} when the end does not come, for instance because a transaction was left open
 */
export async function readWithJava(
  { bootstrapServers, spawnJava }: Pick<KafkaCluster, 'bootstrapServers' | 'spawnJava'>,
  topic: string,
  partitions: number,
  tally: Tally,
): Promise<void> {
  await using sink = new KafkaSink({ bootstrapServers, topic })
  const { failures } = await sink.write(
    Array.from({ length: partitions }, (_, partition) => ({ partition, value: END })),
  )
  for (const failure of failures.values()) throw failure
  const child = await spawnJava(
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    `--bootstrap-server ${bootstrapServers} --topic ${topic} --from-beginning --isolation-level read_committed --formatter-property print.partition=true --formatter-property print.offset=true --formatter-property print.key=true`.split(
      ' ',
    ),
  )
  const closed = once(child, 'close')
  const timer = setTimeout(() => child.kill('SIGKILL'), SILENCE_TIMEOUT_MS)
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  let open = partitions
  try {
    for await (const line of createInterface({ input: child.stdout! })) {
      const [partition, offset, key, value] = line.split('\t')
      timer.refresh()
      if (value === END) open--
      else
        tally.add(
          Number(partition?.replace('Partition:', '')),
          Number(offset?.replace('Offset:', '')),
          key === 'null' ? null : (key ?? null),
          value ?? null,
        )
      if (open === 0) break
    }
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
    await closed
  }
  if (open > 0)
    throw new Error(
      `Java's consumer did not reach the end of ${open} of ${partitions} partitions of "${topic}"\n${stderr}`,
    )
}
