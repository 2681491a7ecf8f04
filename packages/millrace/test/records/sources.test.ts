/**
 * Rows that were made of several records, or of records of several partitions. What fails, is counted, becomes a dead letter and
 * goes on to other sinks is decided by the row and by what it was made of. With the offset alone, all groups of a batch were one
 * record, and so were equal offsets of two partitions: one bad document kept a whole batch from the next sink, and records were
 * acknowledged without a letter or a count.
 */
import { describe, expect, test } from 'vitest'
import { codecByName, createDocuments } from '../../src/codecs/index.ts'
import type { Transform } from '../../src/contracts/stage.ts'
import { Delivery } from '../../src/engine/delivery.ts'
import { ErrorHandling } from '../../src/engine/failures/error-handling.ts'
import type { Failures } from '../../src/engine/failures/failures.ts'
import { toLetter } from '../../src/engine/failures/envelopes.ts'
import { DeliveryToEach } from '../../src/engine/fan-out.ts'
import { StageChain } from '../../src/engine/stage-chain.ts'
import { createSteps } from '../../src/engine/steps.ts'
import { BatchError, DeliveryError } from '../../src/errors/index.ts'
import { Counters } from '../../src/metrics/counters.ts'
import type { Batch } from '../../src/records/batch.ts'
import { createStage } from '../../src/stages/index.ts'
import { batchOf } from '../support/batches.ts'
import { CONTEXT, definitionOf, optionsOf } from '../support/functions.ts'

const NEVER = new AbortController().signal
const SKIP = { retry: undefined, fate: 'skip' } as const

const documents = createDocuments({
  from: codecByName('json'),
  to: codecByName('json'),
  needsDocuments: true,
  mentionsMeta: false,
  includeMeta: false,
})!

/** A sink that refuses rows whose text contains something, and keeps the others. */
class PickySink {
  readonly written: string[] = []
  readonly #refused: string
  constructor(refused = '\u0000') {
    this.#refused = refused
  }
  async write(batch: Batch): Promise<void> {
    const failures = new Map<number, DeliveryError>()
    for (let row = 0; row < batch.length; row++) {
      const text = String(batch.payloads?.[row] ?? batch.value(row))
      if (text.includes(this.#refused))
        failures.set(row, new DeliveryError('the record is too large', { code: 'RECORD_TOO_LARGE' }))
      else this.written.push(text)
    }
    if (failures.size > 0) throw new BatchError('some failed', failures)
  }
}

async function deliver(batch: Batch, sinks: readonly PickySink[]): Promise<{ failures: Failures; skipped: number }> {
  const errors = new ErrorHandling(SKIP, undefined, new Counters().meter({ pipeline: 'tested' }))
  const options = { policy: SKIP, breaker: undefined, errors, abort: NEVER, stopWaiting: NEVER }
  const failures = errors.collect()!
  documents.encode(batch, failures.add.bind(undefined, batch))
  await new DeliveryToEach(sinks.map((sink) => new Delivery({ ...options, sink }))).write(batch, failures)
  await errors.dispose(failures, NEVER)
  return { failures, skipped: errors.progress.skipped.RECORD_TOO_LARGE ?? 0 }
}

const placesOf = ({ list }: Failures): string[] =>
  list.map(({ batch, row }) => `${batch.topic}-${batch.partition}@${batch.offset(row)} ${String(batch.value(row))}`)

const ORDERS = ['{"k":"a","n":1}', '{"k":"b","n":2}', '{"k":"a","n":3}', '{"k":"c","n":4}']

describe('a stage that makes one document of several', () => {
  function through(stage: { readonly [name: string]: unknown }): Batch {
    const [name, spec] = Object.entries(stage)[0]!
    const chain = new StageChain([createStage(name, spec, 'stages.0')])
    return createSteps({ documents, stages: chain, sink: { needsDocuments: false } })(batchOf(ORDERS))!
  }

  test.each([
    {
      stage: { $group: { _id: '$k', n: { $sum: '$n' } } },
      refused: '"_id":"a"',
      failed: ['100 {"k":"a","n":1}', '102 {"k":"a","n":3}'],
      passed: ['{"_id":"b","n":2}', '{"_id":"c","n":4}'],
    },
    {
      stage: { $group: { _id: '$k', n: { $sum: '$n' }, scope: 'stream' } },
      refused: '"_id":"a"',
      failed: ['100 {"k":"a","n":1}', '102 {"k":"a","n":3}'],
      passed: ['{"_id":"b","n":2}', '{"_id":"c","n":4}'],
    },
    {
      stage: { $bucket: { groupBy: '$n', boundaries: [0, 3, 9], output: { all: { $push: '$k' } } } },
      refused: '"_id":3',
      failed: ['102 {"k":"a","n":3}', '103 {"k":"c","n":4}'],
      passed: ['{"_id":0,"all":["a","b"]}'],
    },
    {
      stage: { $sortByCount: '$k' },
      refused: '"_id":"c"',
      failed: ['103 {"k":"c","n":4}'],
      passed: ['{"_id":"a","count":2}', '{"_id":"b","count":1}'],
    },
    {
      stage: { $count: 'total' },
      refused: 'total',
      failed: ORDERS.map((order, i) => `${100 + i} ${order}`),
      passed: [],
    },
  ])(
    '$stage: a document that one sink refuses fails for its own records, and the others come to the next sink',
    async ({ stage, refused, failed, passed }) => {
      const [first, second] = [new PickySink(refused), new PickySink()]
      const { failures, skipped } = await deliver(through(stage), [first, second])
      expect(placesOf(failures)).toEqual(failed.map((place) => `orders-3@${place}`))
      expect(skipped).toBe(failed.length)
      expect(first.written.toSorted()).toEqual(passed)
      expect(second.written.toSorted()).toEqual(passed)
    },
  )

  test('names in each letter what the document was made of', async () => {
    const batch = through({ $group: { _id: null, n: { $sum: '$n' } } })
    const { failures } = await deliver(batch, [new PickySink('n')])
    const letters = failures.list.map((failure) => toLetter('headers', failure, 'p', new Date(0)))
    expect(letters.map(({ value }) => String(value))).toEqual(ORDERS)
    for (const { headers } of letters)
      expect(headers).toContainEqual([
        '__millrace.errors.made-of',
        'orders-3@100, orders-3@101, orders-3@102, orders-3@103',
      ])
  })

  test('names so many records at most', async () => {
    const batch = batchOf(Array.from({ length: 250 }, () => '{"k":1}'))
    const chain = new StageChain([createStage('$count', 'n', 'stages.0')])
    const { failures } = await deliver(
      createSteps({ documents, stages: chain, sink: { needsDocuments: false } })(batch)!,
      [new PickySink('n')],
    )
    expect(failures.list).toHaveLength(250)
    const { headers } = toLetter('headers', failures.list[0]!, 'p', new Date(0))
    const [, text] = headers!.find(([name]) => name === '__millrace.errors.made-of')!
    expect(text).toMatch(/orders-3@199 and 150 more$/)
  })
})

test('of several rows that $unwind made of one record only the one that failed goes no further; the record counts once', async () => {
  const chain = new StageChain([createStage('$unwind', '$list', 'stages.0')])
  const batch = createSteps({ documents, stages: chain, sink: { needsDocuments: false } })(
    batchOf(['{"list":[1,2,3]}', '{"list":[4]}']),
  )!
  const [first, second] = [new PickySink(':2'), new PickySink()]
  const { failures, skipped } = await deliver(batch, [first, second])
  expect(placesOf(failures)).toEqual(['orders-3@100 {"list":[1,2,3]}'])
  expect(skipped).toBe(1)
  expect(second.written).toEqual(['{"list":1}', '{"list":3}', '{"list":4}'])
})

describe('rows that are gathered from several partitions', () => {
  async function gathered(name: string, options: unknown): Promise<readonly Batch[]> {
    const transform: Transform = await definitionOf(name).create(optionsOf(name, options).options, CONTEXT)
    const batches: Batch[] = []
    for (const partition of [0, 1]) {
      const values = [`{"n":${partition + 1}1,"bad":true}`, `{"n":${partition + 1}2}`]
      const batch = batchOf(values, 7, { partition })
      documents.decode(batch)
      batches.push(...(await transform.process(batch, NEVER)))
    }
    return [...batches, ...((await transform.finish?.(NEVER)) ?? [])]
  }

  test.each([
    { name: 'sort.apply', options: { by: 'n' } },
    { name: 'distinct.apply', options: { columns: ['n'], keep: 'last' } },
    { name: 'window.apply', options: { type: 'tumbling', size: 4 } },
    { name: 'chunk.apply', options: { batch_size: 4 } },
  ])(
    '$name: records of equal offsets are two, each with its own topic, partition and count',
    async ({ name, options }) => {
      const batches = await gathered(name, options)
      expect(batches).toHaveLength(1)
      const { failures, skipped } = await deliver(batches[0]!, [new PickySink('bad')])
      const found = placesOf(failures)
      expect(found).toContain('orders-0@7 {"n":11,"bad":true}')
      expect(found).toContain('orders-1@7 {"n":21,"bad":true}')
      expect(skipped).toBe(found.length)
    },
  )
})
