import { expect, test } from 'vitest'
import { NO_ACKNOWLEDGEMENT } from '../../src/records/acknowledgement.ts'
import { type Acknowledgement, Batch } from '../../src/records/batch.ts'
import { FetchedRecords } from '../../src/kafka/protocol/locate-records.ts'
import { encodeRecordBatch, type RecordBatchInput, encodeRecord } from '../support/encode-record-batch.ts'
import { inSlices, paceOf, SLICE_ROWS } from '../../src/engine/slices.ts'
import { createFunctionStage } from '../../src/functions/in-line.ts'
import { asTransform } from '../../src/functions/transforms.ts'
import { createStage } from '../../src/stages/index.ts'
import { Pace } from '../../src/resilience/pace.ts'
import { batchOf } from '../support/batches.ts'

async function* of(...batches: Batch[]): AsyncGenerator<Batch> {
  yield* batches
}

test('cuts a large batch into slices with the same rows in the same order', async () => {
  const batch = batchOf(Array.from({ length: 10 }, (_, i) => `v${i}`)).derive({
    rows: Int32Array.of(1, 2, 3, 5, 7, 8, 9),
  })
  const slices = await Array.fromAsync(inSlices(of(batch), new Pace(3)))
  expect(slices.map((slice) => Array.from({ length: slice.length }, (_, row) => String(slice.value(row))))).toEqual([
    ['v1', 'v2', 'v3'],
    ['v5', 'v7', 'v8'],
    ['v9'],
  ])
})

test('leaves a batch that is small enough as it is, so that it can still go out whole', async () => {
  const batch = batchOf(['a', 'b', 'c'])
  expect(await Array.fromAsync(inSlices(of(batch), new Pace(3)))).toEqual([batch])
})

test('acknowledges the batch when its last slice is acknowledged, in whatever order, each counting once (I1)', async () => {
  let acknowledged = 0
  const batch = batchOf(['a', 'b', 'c', 'd', 'e']).derive({}, { ack: () => acknowledged++ })
  const [first, second, third] = await Array.fromAsync(inSlices(of(batch), new Pace(2)))
  third!.ack()
  third!.ack()
  first!.ack()
  expect(acknowledged).toBe(0)
  second!.ack()
  expect(acknowledged).toBe(1)
})

test('acknowledges the batch although the loop ends with its last slice, and not when it ends earlier (I1)', async () => {
  let acknowledged = 0
  const batch = batchOf(['a', 'b', 'c']).derive({}, { ack: () => acknowledged++ })
  for await (const slice of inSlices(of(batch), new Pace(2))) {
    slice.ack()
    break
  }
  expect(acknowledged).toBe(0)
  for await (const slice of inSlices(of(batch), new Pace(2))) {
    slice.ack()
    if (slice.length === 1) break
  }
  expect(acknowledged).toBe(1)
})

test('gives the event loop a turn after 20 ms of work, and makes slices smaller whose rows take long', async () => {
  const batch = batchOf(Array.from({ length: 400 }, (_, i) => `v${i}`))
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const rows: number[] = []
  for await (const slice of inSlices(of(batch), paceOf({}, {}, [], true))) {
    rows.push(slice.length)
    for (const end = performance.now() + slice.length; performance.now() < end;);
  }
  clearInterval(timer)
  expect(rows[0]).toBe(16)
  expect(Math.max(...rows)).toBeLessThanOrEqual(40)
  expect(turns).toBeGreaterThan(rows.length / 2)
})

// A run that was asked to stop went on with thousands of requests, which took minutes, and committed nothing meanwhile.
test('gives few rows at once to stages that wait for something, and none after a stop', async () => {
  const pace = paceOf({}, {}, [{ waits: true }], false)
  const stop = new AbortController()
  const sizes: number[] = []
  const batch = batchOf(Array.from({ length: 1000 }, (_, i) => `v${i}`))
  for await (const slice of inSlices(of(batch), pace, true, undefined, stop.signal)) {
    sizes.push(slice.length)
    if (sizes.length === 5) stop.abort()
  }
  expect(sizes).toEqual([64, 64, 64, 64, 64])
  expect(paceOf({}, {}, [{ waits: true }, { combinesRows: true }], true).rows).toBeGreaterThan(1000)
})

test('leaves batches as large as they may be to stages that combine their rows', async () => {
  const batch = batchOf(Array.from({ length: 1000 }, (_, i) => `v${i}`))
  const sizes = async (stages: readonly { readonly combinesRows?: boolean }[]): Promise<number[]> =>
    (await Array.fromAsync(inSlices(of(batch), paceOf({}, { maxBatchRecords: 600 }, stages, true)))).map(
      ({ length }) => length,
    )
  expect(await sizes([{}, { combinesRows: true }])).toEqual([600, 400])
  expect((await sizes([{}]))[0]).toBe(16)
})

// They got 16 records, then 32, then as many as took 20 ms, so that what a run wrote depended on how fast it was: only stages
// that stood for themselves, without $function, said that they combine rows.
test.each([
  ['$group', { _id: '$a', n: { $sum: 1 } }],
  ['$group', { _id: { $function: { body: 'a => a', args: ['$a'] } }, n: { $sum: 1 } }],
  ['$group', { _id: '$a', n: { $sum: 1 }, scope: 'stream' }],
  ['$facet', { all: [{ $count: 'n' }] }],
  ['$subPipeline', [{ pipeline: [{ $count: 'n' }] }]],
  ['$subPipeline', [{ parallel: [{ pipeline: [{ $set: { a: 1 } }] }], merge: 'zip' }]],
  ['chunk.apply', { batch_size: 50 }],
])('%s %j sees as many records at once as it may', (name, spec) => {
  const stage = name.startsWith('$') ? createStage(name, spec, name) : createFunctionStage(name, spec, name)
  expect(paceOf({}, {}, [stage], true).rows).toBe(SLICE_ROWS)
  expect(paceOf({}, {}, [asTransform(stage)], true).rows).toBe(SLICE_ROWS)
  expect(paceOf({ maxBatchRecords: 700 }, {}, [stage], true).rows).toBe(700)
})

// Others would keep heartbeats waiting for nothing.
test('$subPipeline sees few records at once where none of its stages combines them', () => {
  const spec = [{ pipeline: [{ $set: { a: 1 } }] }, { parallel: [{ pipeline: [{ $unset: 'b' }] }] }]
  expect(paceOf({}, {}, [createStage('$subPipeline', spec, 's')], true).rows).toBe(16)
})

// Whoever got past that record by its offset lost what lay before it (K6).
test('what comes before a record batch that cannot be read is given first, and acknowledged without the rest', async () => {
  const storage = fetchedRecords(
    { records: [{ value: Buffer.from('a') }, { value: Buffer.from('b') }] },
    { records: [{ value: Buffer.from('c') }], baseOffset: 2 },
    {
      records: [{ value: Buffer.from('d') }, { value: Buffer.from('e') }],
      baseOffset: 3,
      count: 3,
      lastOffsetDelta: 2,
    },
    { records: [{ value: Buffer.from('f') }], baseOffset: 6 },
  )
  const acknowledged: number[] = []
  const upTo = (end: number): Acknowledgement => ({
    ack: () => void acknowledged.push(end),
    split: (offset) => [upTo(offset), upTo(end)],
  })
  const batch = new Batch(batchOf([]).origin, storage, upTo(7))
  const values: string[] = []
  const read = async (): Promise<void> => {
    for await (const slice of inSlices(of(batch), new Pace(2))) {
      for (let row = 0; row < slice.length; row++) values.push(String(slice.value(row)))
      slice.ack()
    }
  }
  await expect(read()).rejects.toMatchObject({ code: 'RECORD_CORRUPT' })
  expect(values).toEqual(['a', 'b', 'c'])
  expect(acknowledged).toEqual([2, 3])
})

// The whole slice went with it, although only its record could not be read.
test.each([
  { name: 'the first of its batch', damaged: 0, values: ['a', 'b'], end: 2 },
  { name: 'in the midst of its batch', damaged: 1, values: ['a', 'b', 'c'], end: 3 },
  { name: 'the last of its batch', damaged: 2, values: ['a', 'b', 'c', 'd'], end: 4 },
])('what comes before a record that cannot be read is given, $name', async ({ damaged, values, end }) => {
  const records = ['c', 'd', 'e'].map((value) => ({ value: Buffer.from(value) }))
  const sizes = records.map((record, i) => encodeRecord(record, i).length)
  const storage = fetchedRecords(
    { records: [{ value: Buffer.from('a') }, { value: Buffer.from('b') }] },
    {
      records,
      baseOffset: 2,
      compress: (bytes) => {
        // The length of its value says more than there is.
        const start = sizes.slice(0, damaged).reduce((sum, size) => sum + size, 0)
        bytes[start + 5] = 60
        return bytes
      },
    },
    { records: [{ value: Buffer.from('f') }], baseOffset: 5 },
  )
  const acknowledged: number[] = []
  const upTo = (last: number): Acknowledgement => ({
    ack: () => void acknowledged.push(last),
    split: (offset) => [upTo(offset), upTo(last)],
  })
  const batch = new Batch(batchOf([]).origin, storage, upTo(6))
  const read: string[] = []
  const reading = async (): Promise<void> => {
    for await (const slice of inSlices(of(batch), new Pace(10, 10))) {
      for (let row = 0; row < slice.length; row++) read.push(String(slice.value(row)))
      slice.ack()
    }
  }
  await expect(reading()).rejects.toMatchObject({ code: 'RECORD_CORRUPT', offset: BigInt(2 + damaged) })
  expect(read).toEqual(values)
  expect(acknowledged).toEqual([end])
})

test('nothing is given of a batch of which nothing can be read', async () => {
  const batch = new Batch(
    batchOf([]).origin,
    fetchedRecords({ records: [{ value: Buffer.from('d') }], count: 2, lastOffsetDelta: 1 }),
    { ack() {}, split: () => [NO_ACKNOWLEDGEMENT, NO_ACKNOWLEDGEMENT] },
  )
  const slices = inSlices(of(batch), new Pace(2))
  await expect(slices.next()).rejects.toMatchObject({ code: 'RECORD_CORRUPT' })
})

function fetchedRecords(...batches: RecordBatchInput[]): FetchedRecords {
  const encoded = batches.map(encodeRecordBatch)
  let start = 0
  const ranges = encoded.flatMap(({ length }) => [start, (start += length)])
  return new FetchedRecords({
    topic: 'orders',
    partition: 3,
    bytes: Buffer.concat(encoded),
    ranges: Int32Array.from(ranges),
    fromOffset: 0,
  })
}
