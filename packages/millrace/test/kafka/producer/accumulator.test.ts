import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Accumulator, type AccumulatorEvents } from '../../../src/kafka/producer/accumulator.ts'
import { AppendBatch } from '../../../src/kafka/producer/append-batch.ts'
import { AppendRecords, type WritableRecord } from '../../../src/kafka/producer/append-records.ts'
import type { ProducerOptions } from '../../../src/kafka/producer/options.ts'
import type { ProducerBatch } from '../../../src/kafka/producer/partition-queue.ts'
import { ReportTicket } from '../../../src/kafka/producer/reports.ts'
import { batchOf } from '../../support/batches.ts'
import { producerOptions } from '../../support/producer-options.ts'

/** Nothing is expected but what is named. */
function eventsOf(named: Partial<AccumulatorEvents>): AccumulatorEvents {
  const never = (): never => expect.unreachable()
  return { onLinger: never, isAvailable: () => true, onBroken: never, onFailure: never, ...named }
}

function accumulatorOf(
  options: Partial<ProducerOptions>,
  partitions = 2,
  available: (partition: number) => boolean = () => true,
): Accumulator {
  const accumulator = new Accumulator(
    // Longer than all tests of a worker take.
    producerOptions({ lingerMs: 900_000, ...options }),
    undefined,
    eventsOf({ isAvailable: (_topic, partition) => available(partition) }),
  )
  accumulator.learn('t', partitions)
  return accumulator
}

function jobFor(accumulator: Accumulator, records: readonly WritableRecord[], maxRecordBytes = 1 << 20): AppendRecords {
  return new AppendRecords(
    records,
    't',
    new ReportTicket(records.length, accumulator.queues),
    accumulator,
    maxRecordBytes,
    () => {},
  )
}

const waiting = (accumulator: Accumulator): number[] =>
  accumulator.queues.flatMap(({ waiting }) => waiting.map(({ count }) => count))

describe('accumulator', () => {
  test('closes a batch that holds batchRecords, whatever its size', () => {
    const accumulator = accumulatorOf({ batchRecords: 3 })
    const job = jobFor(
      accumulator,
      Array.from({ length: 8 }, () => ({ value: 'x', partition: 1 })),
    )
    expect(job.run()).toBe('done')
    expect(waiting(accumulator)).toEqual([3, 3])
    accumulator.closeAll()
    expect(waiting(accumulator)).toEqual([3, 3, 2])
  })

  test('never holds more than its memory, and everything gets through when batches are released', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 100, max: 2000 }),
        (sizes, batchBytes) => {
          const bufferBytes = 10_000
          const accumulator = accumulatorOf({ batchBytes, bufferBytes })
          const job = jobFor(
            accumulator,
            sizes.map((size, i) => ({ value: Buffer.alloc(size), partition: i % 2 })),
          )
          let delivered = 0
          for (let stop = job.run(); ; stop = job.run()) {
            expect(accumulator.heldBytes).toBeLessThanOrEqual(bufferBytes)
            if (stop === 'done') break
            expect(stop).toBe('no memory')
            accumulator.closeAll()
            const queue = accumulator.queues.find(({ waiting }) => waiting.length > 0)!
            const batch = queue.waiting.shift()!
            delivered += batch.count
            accumulator.release(batch)
          }
          accumulator.closeAll()
          for (const { waiting } of accumulator.queues) {
            for (const batch of waiting.splice(0)) {
              delivered += batch.count
              accumulator.release(batch)
            }
          }
          expect([delivered, accumulator.heldBytes]).toEqual([sizes.length, 0])
          accumulator.stop()
        },
      ),
      { numRuns: 100 },
    )
  })

  test('closes a batch when the next record does not fit', () => {
    const accumulator = accumulatorOf({ batchBytes: 1000 }, 1)
    expect(
      jobFor(
        accumulator,
        Array.from({ length: 20 }, () => ({ value: 'x'.repeat(100) })),
      ).run(),
    ).toBe('done')
    const sizes = accumulator.queues[0]!.waiting.map(({ closed }) => closed!.end)
    expect(sizes.length).toBeGreaterThanOrEqual(2)
    for (const size of sizes) expect(size).toBeLessThanOrEqual(1000)
    accumulator.stop()
  })

  test('puts a large record into a batch of its own', () => {
    const accumulator = accumulatorOf({ batchBytes: 500 }, 1)
    jobFor(accumulator, [{ value: 'a' }, { value: Buffer.alloc(5000) }, { value: 'b' }]).run()
    accumulator.closeAll()
    expect(waiting(accumulator)).toEqual([1, 1, 1])
    accumulator.stop()
  })

  test.each(['as they were read', 'with new values'])('takes records of any size over from a batch, %s', (how) => {
    const sizes = Array.from({ length: 120 }, (_, size) => [size, 400 + size, 20_000]).flat()
    const batch = batchOf(sizes.map((size) => ({ key: 'k', value: 'x'.repeat(size), headers: [['h', 'v']] })))
    if (how === 'with new values') batch.payloads = sizes.map((size) => 'y'.repeat(size + 1))
    const accumulator = accumulatorOf({ batchBytes: 500 }, 1)
    const ticket = new ReportTicket(batch.length, accumulator.queues)
    const job = new AppendBatch(batch, { topic: 't', partition: 0 }, ticket, accumulator, 1 << 20, () => {})
    expect(job.run()).toBe('done')
    accumulator.closeAll()
    const batches = accumulator.queues[0]!.waiting
    for (const each of batches) each.delivered(0)
    expect(batches.reduce((sum, { count }) => sum + count, 0)).toBe(sizes.length)
    expect(ticket.isDone).toBe(true)
    accumulator.stop()
  })

  test('refuses a record that no request could hold, and writes the others', async () => {
    const accumulator = accumulatorOf({ batchBytes: 1000 }, 1)
    const job = jobFor(accumulator, [{ value: 'a' }, { value: Buffer.alloc(5000) }, { value: 'b' }], 4000)
    expect(job.run()).toBe('done')
    expect(job.ticket.failures!.get(1)).toMatchObject({ code: 'RECORD_TOO_LARGE', topic: 't', partition: 0 })
    accumulator.closeAll()
    expect(waiting(accumulator)).toEqual([2])
    accumulator.stop()
  })

  test('moves the sticky partition on with each batch, past partitions without a leader', () => {
    const accumulator = accumulatorOf({ batchBytes: 300 }, 4, (partition) => partition !== 2)
    accumulator.topic('t')!.sticky = 0
    jobFor(
      accumulator,
      Array.from({ length: 12 }, () => ({ value: 'x'.repeat(100) })),
    ).run()
    const used = accumulator.queues
      .filter(({ waiting, open }) => waiting.length > 0 || open !== undefined)
      .map(({ partition }) => partition)
    expect(used).toEqual([0, 1, 3])
    accumulator.stop()
  })

  test('keeps the rows of each record when records of several calls share a batch', async () => {
    const accumulator = accumulatorOf({}, 2)
    const first = jobFor(accumulator, [
      { value: '0', partition: 0 },
      { value: '1', partition: 1 },
      { value: '2', partition: 0 },
    ])
    const second = jobFor(accumulator, [
      { value: '0', partition: 1 },
      { value: '1', partition: 0 },
    ])
    first.run()
    second.run()
    accumulator.closeAll()
    const [zero, one] = accumulator.queues.map(({ waiting }) => waiting[0]!)
    zero!.delivered(100)
    one!.delivered(7)
    const offsets = (job: AppendRecords): unknown[] => [...(job.ticket as ReportTicket).reports]
    await Promise.all([first.ticket.done, second.ticket.done])
    expect(offsets(first)).toEqual([
      { topic: 't', partition: 0, offset: 100n },
      { topic: 't', partition: 1, offset: 7n },
      { topic: 't', partition: 0, offset: 101n },
    ])
    expect(offsets(second)).toEqual([
      { topic: 't', partition: 1, offset: 8n },
      { topic: 't', partition: 0, offset: 102n },
    ])
    accumulator.stop()
  })

  // Free buffers counted separately, so that a producer that had written to many partitions at once could hold twice its bound.
  test('drops free buffers where they and what is held would be more than its memory', () => {
    const accumulator = accumulatorOf({ batchBytes: 1000, bufferBytes: 4000 }, 4)
    const write = (size: number): void => {
      jobFor(
        accumulator,
        Array.from({ length: 4 }, (_, partition) => ({ value: 'x'.repeat(size), partition })),
      ).run()
      accumulator.closeAll()
      for (const { waiting } of accumulator.queues) for (const batch of waiting.splice(0)) accumulator.release(batch)
    }
    write(10)
    expect(accumulator.memory).toEqual({ held: 0, free: 4000 })
    const queue = accumulator.queues[0]!
    accumulator.open(queue, 3000)
    expect(accumulator.memory.held + accumulator.memory.free).toBeLessThanOrEqual(4000)
    accumulator.stop()
  })

  test('batches that have waited for the linger are due, and gather more until they are sent', async () => {
    let lingered = 0
    const accumulator = new Accumulator(
      producerOptions({ lingerMs: 10 }),
      undefined,
      eventsOf({ onLinger: () => void lingered++ }),
    )
    accumulator.learn('t', 1)
    jobFor(accumulator, [{ value: 'a' }]).run()
    const queue = accumulator.queues[0]!
    expect([...accumulator.ready]).toEqual([])
    await expect.poll(() => lingered).toBe(1)
    expect([...accumulator.ready]).toEqual([queue])
    expect(accumulator.isDue(queue.open!, performance.now())).toBe(true)
    jobFor(accumulator, [{ value: 'b' }]).run()
    expect(waiting(accumulator)).toEqual([])
    accumulator.closeDue(queue)
    expect(waiting(accumulator)).toEqual([2])
    accumulator.stop()
  })
})

describe('bad records', () => {
  test.each<{ name: string; record: unknown; problem: string }>([
    { name: 'no record at all', record: null, problem: 'must be an object' },
    {
      name: 'undefined as value',
      record: {},
      problem: 'value of a record as it must be a string, a Buffer or null: it is undefined',
    },
    { name: 'a number as value', record: { value: 12 }, problem: 'it is of type number' },
    { name: 'an object as value', record: { value: { amount: 1 } }, problem: 'it is of type object' },
    {
      name: 'an array as key',
      record: { key: [1], value: 'v' },
      problem: 'key of a record as it must be a string, a Buffer or null: it is an array',
    },
    { name: 'a header that is a number', record: { value: 'v', headers: [['h', 1]] }, problem: 'header "h"' },
    { name: 'headers that are a map', record: { value: 'v', headers: { h: '1' } }, problem: 'headers' },
    { name: 'a timestamp that is not a number', record: { value: 'v', timestampMs: Number.NaN }, problem: 'timestamp' },
    { name: 'a negative timestamp', record: { value: 'v', timestampMs: -5 }, problem: 'timestamp -5' },
    {
      name: 'a partition that does not exist',
      record: { value: 'v', partition: 2 },
      problem: 'partition 2 of topic "t": the topic has 2 partitions',
    },
    {
      name: 'a partition that is no number',
      record: { value: 'v', partition: 'x' },
      problem: 'partition x of topic "t"',
    },
    { name: 'an empty topic', record: { value: 'v', topic: '' }, problem: 'without a topic' },
  ])('$name is refused, and the records beside it are written', async ({ record, problem }) => {
    const accumulator = accumulatorOf({}, 2)
    const job = jobFor(accumulator, [{ value: 'before' }, record as WritableRecord, { value: 'after' }])
    expect(job.run()).toBe('done')
    expect([...job.ticket.failures!.keys()]).toEqual([1])
    expect(job.ticket.failures!.get(1)!.message).toContain(problem)
    accumulator.closeAll()
    expect(waiting(accumulator).reduce((sum, count) => sum + count, 0)).toBe(2)
    accumulator.stop()
  })

  test('a partitioner function that answers nonsense fails the record', () => {
    const accumulator = accumulatorOf({ partitioner: () => Number.NaN }, 2)
    const job = jobFor(accumulator, [{ value: 'a' }])
    job.run()
    expect(job.ticket.failures!.get(0)!.message).toContain('partition NaN')
    accumulator.stop()
  })
})

describe('the memory of a record batch that was forwarded', () => {
  const SIZE = 64 * 1024
  const enqueued = (accumulator: Accumulator): ProducerBatch =>
    accumulator.enqueue(accumulator.topic('t')!, accumulator.queues[0]!, SIZE, (bytes) => bytes.fill('x').length)!

  test('is free as soon as it is settled', () => {
    const accumulator = accumulatorOf({})
    const batch = enqueued(accumulator)
    expect(accumulator.heldBytes).toBe(SIZE)
    accumulator.release(batch)
    expect([accumulator.heldBytes, batch.closed!.bytes.length]).toEqual([0, 0])
  })

  // The socket may still read it.
  test('is left to the garbage collector while a request with it is under way', () => {
    const accumulator = accumulatorOf({})
    const batch = enqueued(accumulator)
    batch.inFlight = true
    accumulator.release(batch)
    expect([accumulator.heldBytes, batch.closed!.bytes.length]).toEqual([0, SIZE])
  })
})
