/** Rows behind stages that gather or limit them, in graphs that run in this process against a broker in this process. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { catalog } from '../../../src/catalog.ts'
import { readAnyPlan } from '../../../src/dialects/index.ts'
import type { GraphPlan } from '../../../src/engine/graph/plan.ts'
import { runPlan } from '../../../src/engine/run-plan.ts'
import { KafkaSink } from '../../../src/library/kafka-sink.ts'

describe('rows in a graph', () => {
  let kafka: EmbeddedBroker
  let directory: string

  beforeEach(async () => {
    kafka = await startBroker({ topics: { in: 3, out: 3, single: 1, few: 1 } })
    directory = await mkdtemp(join(tmpdir(), 'millrace-graph-'))
  })
  afterEach(() => kafka.close())

  async function write(topic: string, records: readonly { value: string; partition?: number }[]): Promise<void> {
    await using sink = new KafkaSink({ bootstrapServers: kafka.bootstrapServers, topic })
    expect((await sink.write(records)).failures.size).toBe(0)
  }

  async function run(stages: readonly object[], more: object = {}): Promise<void> {
    const file = join(directory, 'graph.json')
    await writeFile(file, JSON.stringify({ pipeline: { name: 'graph' }, stages, ...more }))
    const plan = { ...((await readAnyPlan(file)) as GraphPlan), directory, folders: [directory] }
    const never = new AbortController().signal
    await runPlan(plan, { components: catalog, signal: never, abort: never, untilEnd: true, warn: () => {} })
  }

  const consume = (topic: string): object => ({
    id: 'consume',
    function: 'kafka',
    config: { brokers: kafka.bootstrapServers, topic, group_id: 'g', max_messages: 1_000_000 },
  })
  const produce = (topic: string, input: string, config: object = {}): object => ({
    id: 'produce',
    function: 'kafka',
    inputs: [input],
    config: { brokers: kafka.bootstrapServers, topic, ...config },
  })
  const numberOf = (value: unknown): number => (JSON.parse(String(value)) as { n: number }).n

  // All of them went to partition 0, the one of a batch that no partition holds.
  test('keep the partition that each was read from, also behind a stage that gathers them', async () => {
    await write(
      'in',
      Array.from({ length: 30 }, (_, i) => ({ value: `{"n":${(i * 7) % 30}}`, partition: i % 3 })),
    )
    await run([
      consume('in'),
      { id: 'sort', function: 'sort.apply', inputs: ['consume'], config: { by: 'n' } },
      produce('out', 'sort', { keepPartition: true }),
    ])
    const written = await kafka.topic('out').records()
    const numbers = Array.from({ length: 30 }, (_, n) => n)
    // 7 is 1 modulo 3.
    for (const partition of [0, 1, 2])
      expect(written.filter((record) => record.partition === partition).map(({ value }) => numberOf(value))).toEqual(
        numbers.filter((n) => n % 3 === partition),
      )
  })

  // Behind the limit a record is read again by the next run, which wrote its letter again.
  test('behind a limit leave no letters of records that the next run reads again', async () => {
    await write(
      'single',
      Array.from({ length: 20 }, (_, n) => ({ value: JSON.stringify({ n: n % 5 === 3 ? `${n}` : n }) })),
    )
    const stages = [
      consume('single'),
      { id: 'check', function: 'validate.schema', inputs: ['consume'], config: { field_types: { n: 'integer' } } },
      { id: 'limit', function: '$limit', inputs: ['check'], config: 6 },
      produce('few', 'limit'),
    ]
    const error_handling = { strategy: 'continue', dead_letter_queue: { enabled: true, path: 'dead.jsonl' } }
    for (let times = 0; times < 3; times++) await run(stages, { error_handling })
    const letters = (await readFile(join(directory, 'dead.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(letters.map((line) => (JSON.parse(line) as { record: { n: string } }).record.n)).toEqual([
      '3',
      '8',
      '13',
      '18',
    ])
    expect((await kafka.topic('few').records()).map(({ value }) => numberOf(value))).toHaveLength(16)
  })
})
