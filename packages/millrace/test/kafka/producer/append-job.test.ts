import { expect, test } from 'vitest'
import { Accumulator } from '../../../src/kafka/producer/accumulator.ts'
import { AppendRaw } from '../../../src/kafka/producer/append-raw.ts'
import { AppendRecords } from '../../../src/kafka/producer/append-records.ts'
import { ReportTicket, Ticket } from '../../../src/kafka/producer/reports.ts'
import { encodeRecordBatch } from '../../support/encode-record-batch.ts'
import { producerOptions } from '../../support/producer-options.ts'

const EVENTS = { onLinger: () => {}, isAvailable: () => true, onBroken: () => {}, onFailure: () => {} }

function accumulatorOf(partitions: number): Accumulator {
  const accumulator = new Accumulator(producerOptions({ lingerMs: 60_000 }), undefined, EVENTS)
  accumulator.learn('t', partitions)
  return accumulator
}

// One failure in any partition took along what waited for memory or for its turn, whatever it was written to (K11).
test('what began before records of a partition failed is not appended behind them, and to other partitions it is', () => {
  const accumulator = accumulatorOf(2)
  const [first, second] = accumulator.queues
  const records = [0, 1, 0, 1].map((partition) => ({ value: 'v', partition }))
  const job = (): { ticket: ReportTicket; append: AppendRecords } => {
    const ticket = new ReportTicket(records.length, accumulator.queues)
    return { ticket, append: new AppendRecords(records, 't', ticket, accumulator, 1 << 20, () => {}) }
  }
  const before = job()
  first!.cutOff = ++accumulator.cutOffs
  const after = job()
  expect([before.append.run(), after.append.run()]).toEqual(['done', 'done'])
  expect([...before.ticket.failures!].map(([row, { code }]) => [row, code])).toEqual([
    [0, 'REFUSED_WITH_BATCH'],
    [2, 'REFUSED_WITH_BATCH'],
  ])
  expect(after.ticket.failures).toBeUndefined()
  expect([first!.open!.count, second!.open!.count]).toEqual([2, 4])
  accumulator.stop()
})

test('the same with whole record batches', () => {
  const accumulator = accumulatorOf(2)
  const topic = accumulator.topic('t')!
  const bytes = encodeRecordBatch({ records: [{ value: Buffer.from('v') }] })
  const raw = { bytes, ranges: Int32Array.of(0, bytes.length) }
  const tickets = topic.queues.map(() => new Ticket(1))
  const jobs = topic.queues.map((queue, i) => new AppendRaw(raw, topic, queue, tickets[i]!, accumulator, () => {}))
  topic.queues[0]!.cutOff = ++accumulator.cutOffs
  expect(jobs.map((job) => job.run())).toEqual(['done', 'done'])
  expect(tickets.map(({ failures }) => failures?.get(0)?.code)).toEqual(['REFUSED_WITH_BATCH', undefined])
  expect(topic.queues.map(({ waiting }) => waiting.length)).toEqual([0, 1])
})
