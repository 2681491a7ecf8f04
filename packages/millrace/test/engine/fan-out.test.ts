import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/records/batch.ts'
import { createDocuments } from '../../src/codecs/index.ts'
import { jsonCodec } from '../../src/codecs/json.ts'
import type { Codec } from '../../src/contracts/codec.ts'
import { NO_ENDPOINTS } from '../../src/contracts/definitions.ts'
import { Delivery } from '../../src/engine/delivery.ts'
import { ErrorHandling } from '../../src/engine/failures/error-handling.ts'
import { Failures } from '../../src/engine/failures/failures.ts'
import { DeliveryToEach, FanOut, FormattedSink } from '../../src/engine/fan-out.ts'
import type { Components, ErrorPolicy, PlannedComponent } from '../../src/engine/plan.ts'
import { runPipeline } from '../../src/engine/run-pipeline.ts'
import { BatchError, DeliveryError, EncodeError, type MillraceError } from '../../src/errors/index.ts'
import { batchOf } from '../support/batches.ts'
import { memoryComponents, memoryPlan, MemorySink as SinkInMemory, MemorySource } from '../support/memory-components.ts'

const down = (): MillraceError => new DeliveryError('the sink is down', { code: 'DELIVERY_TIMED_OUT' })
const tooLarge = (): MillraceError => new DeliveryError('the record is too large', { code: 'RECORD_TOO_LARGE' })

function valuesOf(batch: Batch): string[] {
  return Array.from({ length: batch.length }, (_, row) => (batch.payloads?.[row] ?? batch.value(row)!).toString())
}

type Answer = { readonly [value: string]: MillraceError } | undefined

/** A sink in memory. `log` is shared, so that it tells who was first. */
class MemorySink {
  readonly calls: string[][] = []
  readonly #name: string
  readonly #log: string[]
  readonly #answers: Answer[]
  readonly #delayMs: (batch: Batch) => number
  constructor(
    name: string,
    log: string[],
    answers: readonly Answer[] = [],
    delayMs: (batch: Batch) => number = () => 1,
  ) {
    this.#name = name
    this.#log = log
    this.#answers = [...answers]
    this.#delayMs = delayMs
  }
  async write(batch: Batch): Promise<void> {
    const values = valuesOf(batch)
    this.calls.push(values)
    this.#log.push(`${this.#name} < ${values.join(' ')}`)
    const answer = this.#answers.shift()
    await new Promise((resolve) => setTimeout(resolve, this.#delayMs(batch)))
    const failures = new Map(values.flatMap((value, row) => (answer?.[value] ? [[row, answer[value]] as const] : [])))
    this.#log.push(`${this.#name} > ${values.filter((_, row) => !failures.has(row)).join(' ')}`)
    if (failures.size > 0) throw new BatchError('some failed', failures)
  }
}

function toEach(
  sinks: readonly MemorySink[],
  policy: Pick<ErrorPolicy, 'retry' | 'fate'>,
): { readonly delivery: DeliveryToEach; readonly errors: ErrorHandling } {
  const errors = new ErrorHandling(policy, undefined)
  const never = new AbortController().signal
  const deliveries = sinks.map(
    (sink) => new Delivery({ sink, policy, breaker: undefined, errors, abort: never, stopWaiting: never }),
  )
  return { delivery: new DeliveryToEach(deliveries), errors }
}

const STRICT = { retry: undefined, fate: 'fail' } as const
const LENIENT = { retry: { maxRetries: 2, backoff: { initialMs: 1, maxMs: 1 } }, fate: 'skip' } as const

describe('several sinks', () => {
  test('have a batch one after the other', async () => {
    const log: string[] = []
    const { delivery } = toEach([new MemorySink('1', log), new MemorySink('2', log)], STRICT)
    await delivery.write(batchOf(['a', 'b']), undefined)
    expect(log).toEqual(['1 < a b', '1 > a b', '2 < a b', '2 > a b'])
  })

  test('are given the batches of a partition in the same order, even when the first one acknowledges them in another', async () => {
    const log: string[] = []
    const slowFirst = (batch: Batch): number => (valuesOf(batch)[0] === 'a' ? 20 : 1)
    const { delivery } = toEach([new MemorySink('1', log, [], slowFirst), new MemorySink('2', log)], STRICT)
    await Promise.all(['a', 'b', 'c'].map((value) => delivery.write(batchOf([value]), undefined)))
    expect(log.filter((line) => line.startsWith('2 <'))).toEqual(['2 < a', '2 < b', '2 < c'])
  })

  test('a record that one refuses is tried again there, and not written again to the one that has it', async () => {
    const log: string[] = []
    const sinks = [new MemorySink('1', log), new MemorySink('2', log, [{ b: down() }])]
    const { delivery, errors } = toEach(sinks, LENIENT)
    const failures = new Failures()
    await delivery.write(batchOf(['a', 'b', 'c']), failures)
    expect(sinks.map(({ calls }) => calls)).toEqual([[['a', 'b', 'c']], [['a', 'b', 'c'], ['b']]])
    expect(failures.list).toEqual([])
    expect(errors.progress.retried).toEqual({ DELIVERY_TIMED_OUT: 1 })
  })

  test('a record that fails for good meets its fate once and goes no further', async () => {
    const log: string[] = []
    const sinks = [new MemorySink('1', log, [{ b: tooLarge() }]), new MemorySink('2', log, [{ c: tooLarge() }])]
    const { delivery } = toEach(sinks, LENIENT)
    const failures = new Failures()
    await delivery.write(batchOf(['a', 'b', 'c']), failures)
    expect(sinks[1]!.calls).toEqual([['a', 'c']])
    expect(failures.list.map(({ batch, row }) => batch.offset(row))).toEqual([101n, 102n])
  })

  test('a batch of which nothing is left does not come to the next one', async () => {
    const log: string[] = []
    const sinks = [new MemorySink('1', log, [{ a: tooLarge() }]), new MemorySink('2', log)]
    const { delivery } = toEach(sinks, LENIENT)
    await delivery.write(batchOf(['a']), new Failures())
    expect(sinks[1]!.calls).toEqual([])
  })

  test('where the first failure ends the run, nothing behind it comes to a sink that it did not come to', async () => {
    const log: string[] = []
    const sinks = [new MemorySink('1', log, [{ a: down() }]), new MemorySink('2', log)]
    const { delivery } = toEach(sinks, STRICT)
    const results = await Promise.allSettled(['a', 'b'].map((value) => delivery.write(batchOf([value]), undefined)))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(sinks[1]!.calls).toEqual([])
  })
})

describe('a sink with values of its own', () => {
  const upper = {
    encode: (batch: Batch, failed?: (row: number, error: EncodeError) => void): void => {
      batch.payloads = valuesOf(batch).map((value) => value.toUpperCase())
      const bad = batch.payloads.indexOf('BAD')
      if (bad >= 0) failed!(bad, new EncodeError('it is bad', { topic: 't', partition: 0, offset: 1n, component: 'x' }))
    },
  }

  test('leaves the batch of the others as it is', async () => {
    const sink = new MemorySink('1', [])
    const batch = batchOf(['a', 'b'])
    await new FormattedSink(sink, upper).write(batch, new AbortController().signal)
    expect([sink.calls, batch.payloads, batch.raw === undefined]).toEqual([[['A', 'B']], undefined, false])
  })

  test('reports which rows failed, by their place in the batch that it was given', async () => {
    const sink = new MemorySink('1', [], [{ C: down() }])
    const written = new FormattedSink(sink, upper).write(batchOf(['a', 'bad', 'c']), new AbortController().signal)
    const error = (await written.catch((thrown: unknown) => thrown)) as BatchError
    expect([...error.failures].map(([row, { code }]) => `${row} ${code}`)).toEqual([
      '1 ENCODE_FAILED',
      '2 DELIVERY_TIMED_OUT',
    ])
    expect(sink.calls).toEqual([['A', 'C']])
  })
})

test('all sinks as one can forward record batches when each of them can', () => {
  const sink = { valueCodec: 'json', includeMeta: false, needsDocuments: false, partitions: 'x' }
  const both = [true, false].map((writesRecordBatches) => ({ ...sink, writesRecordBatches }))
  expect(new FanOut(both as never).writesRecordBatches).toBe(false)
  expect(new FanOut([both[0], both[0]] as never).writesRecordBatches).toBe(true)
})

// explain said that they keep the partition of the source.
test('all sinks as one say where records go whose keys were changed', () => {
  const sinks = [{ partitions: 'kept', partitionsByKey: 'by key' }, { partitions: 'none' }]
  expect(new FanOut(sinks as never).partitionsByKey).toBe('sink 1: by key; sink 2: none')
})

// Each sink was given what the first one's steps had decoded, which is nothing where that one only needs the ids of another registry.
describe('sinks of different formats', () => {
  const text = (value: Buffer | null): unknown => JSON.parse(value!.subarray(1).toString())
  const from: Codec = { name: 'avro', wire: 'a', decode: text, encode: () => null }
  const elsewhere: Codec = {
    ...from,
    wire: 'b',
    translation: () => ({ translate: (bytes) => Buffer.concat([Buffer.from('b'), bytes.subarray(1)]) }),
  }
  const formats: { readonly [valueCodec: string]: Codec } = { avro: elsewhere, json: jsonCodec }

  test.each([{ order: ['avro', 'json'] }, { order: ['json', 'avro'] }])(
    'in the order $order each gets its own',
    async ({ order }) => {
      const sinks = new Map(
        order.map((format) => [format, Object.assign(new SinkInMemory([]), { valueCodec: format })]),
      )
      const source = new MemorySource([['a{"id":1}']], [], 'avro')
      const ofSink = (component: string): PlannedComponent => ({ component, options: {}, endpoints: NO_ENDPOINTS })
      const components: Components = {
        ...memoryComponents(source, sinks.get('json')!),
        sink: async (name) => ({
          kind: 'sink',
          name,
          summary: 'Lies in memory.',
          options: {},
          create: () => sinks.get(name)!,
        }),
        documents: async (_, { valueCodec }, __, needs) =>
          createDocuments({ from, to: formats[valueCodec]!, ...needs, mentionsMeta: false, includeMeta: false }),
      }
      const never = new AbortController().signal
      const run = { components, signal: never, abort: never, untilEnd: true, warn: () => {} }
      await runPipeline(memoryPlan({ sink: ofSink(order[0]!), fanout: [ofSink(order[1]!)] }), run)
      expect(sinks.get('avro')!.written).toEqual(['b{"id":1}'])
      expect(sinks.get('json')!.written).toEqual(['{"id":1}'])
    },
  )
})
