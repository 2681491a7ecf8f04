import { afterEach, expect, test, vi } from 'vitest'
import { Monitor } from '../../src/serve/index.ts'
import { Streams } from '../../src/serve/stream.ts'
import { fakePipeline, partitionStatus } from '../support/watched.ts'

afterEach(() => vi.restoreAllMocks())

/** A tab that takes everything at once. */
function tab(): { readonly client: Parameters<Streams['open']>[0]; readonly chunks: (string | Buffer)[] } {
  const chunks: (string | Buffer)[] = []
  const client = {
    writableLength: 0,
    writeHead: () => {},
    write: (chunk: string | Buffer) => chunks.push(chunk) > 0,
    end: () => {},
    on: () => {},
  }
  return { client: client as unknown as Parameters<Streams['open']>[0], chunks } // what is used of a response
}

// Each second of watching read all metrics twice, those by partition included, though the dashboard shows none of these.
test('a second of watching asks each source once, and reads no metric by partition, however many tabs are open', async () => {
  const monitor = new Monitor('1')
  const pipeline = fakePipeline()
  pipeline.partitions = [partitionStatus(0)]
  const [source] = pipeline.sources
  const status = vi.spyOn(source!, 'status')
  const byPartition = vi.fn(() => [])
  pipeline.counters.meter({ pipeline: 'orders' }).observeEach('millrace_partition_lag_records', byPartition)
  monitor.add(pipeline)
  const streams = new Streams(monitor)
  const [first, second] = [tab(), tab()]
  for (const { client } of [first, second]) streams.open(client)
  status.mockClear()
  byPartition.mockClear()
  pipeline.records = 60
  await monitor.look()
  expect(status).toHaveBeenCalledTimes(1)
  expect(byPartition).not.toHaveBeenCalled()
  expect(first.chunks.at(-1)).toBe(second.chunks.at(-1))
  expect(first.chunks.at(-1)!.toString()).toContain('"read":{"records":60')
})

// To ask the system for memory and processor time took longer than the rest of a snapshot.
test('the memory of the process is asked for once in five seconds for dashboards, and each time for /status', async () => {
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  const memory = vi.spyOn(process, 'memoryUsage')
  const monitor = new Monitor('1')
  new Streams(monitor).open(tab().client)
  memory.mockClear()
  for (let second = 1; second <= 10; second++) {
    now += 1000
    await monitor.look()
  }
  expect(memory).toHaveBeenCalledTimes(2)
  monitor.status()
  monitor.status()
  expect(memory).toHaveBeenCalledTimes(4)
})

// A regular expression over names, once in the server and once in the page, decided what the charts mark.
test('events that explain a bend in the numbers are marked, as the table of events says', () => {
  const monitor = new Monitor('1')
  for (const event of ['partitions.assigned', 'breaker.closed', 'offsets.failed', 'run.started'] as const)
    monitor.event('info', event, { event })
  expect(monitor.status().events.map(({ event, isMarked }) => [event, isMarked])).toEqual([
    ['partitions.assigned', true],
    ['breaker.closed', true],
    ['offsets.failed', false],
    ['run.started', false],
  ])
})
