/**
 * How fast records are located in fetched record batches, and values viewed, on one core.
 *
 * Usage: `node bench/micro/locate-records.ts [ROUNDS]`. Prints one line per case: the median of the rounds, in million
 * records per second. Nothing here is a test.
 */
import { CODEC_BITS, CODECS, type Codec } from '../../packages/millrace/src/kafka/protocol/compression/codecs.ts'
import { FIELDS, VALUE, VALUE_LENGTH, type LocatedRecords } from '../../packages/millrace/src/records/batch.ts'
import { compress } from '../../packages/millrace/src/kafka/protocol/compression/compression.ts'
import { FetchedRecords } from '../../packages/millrace/src/kafka/protocol/locate-records.ts'
import { RecordBatchReader } from '../../packages/millrace/src/kafka/protocol/record-batch.ts'
import { viewOf } from '../../packages/millrace/src/records/views.ts'
import { encodeRecordBatch } from '../../packages/millrace/test/support/encode-record-batch.ts'

const ROUNDS = Number(process.argv[2] ?? 9)
const BATCHES = 64
const RECORDS = 580 // of 100 bytes: a batch of about 64 KiB

/** A fetch response of 4 MiB: values of 100 bytes as Kafka's own perf tools write them. */
function response(codec: Codec): Buffer {
  const values = Array.from({ length: RECORDS }, (_, i) =>
    Buffer.from(
      JSON.stringify({
        orderId: i * 7919,
        customer: `customer-${i % 97}`,
        amount: (i * 31) % 500,
        country: 'DE',
      }).padEnd(100, 'x'),
    ),
  )
  return Buffer.concat(
    Array.from({ length: BATCHES }, (_, b) =>
      encodeRecordBatch({
        baseOffset: b * RECORDS,
        baseTimestamp: 1_700_000_000_000,
        records: values.map((value, i) => ({ value, timestampDelta: i >> 3 })),
        attributes: CODEC_BITS[codec],
        compress: (plain) => compress(codec, plain),
      }),
    ),
  )
}

function rangesOf(bytes: Buffer, checkCrcs: boolean): Int32Array {
  const ranges: number[] = []
  reader.reset(bytes, 'bench', 0, { checkCrcs })
  while (reader.next()) ranges.push(reader.start, reader.end)
  return Int32Array.from(ranges)
}

function views(located: LocatedRecords, view: (bytes: Buffer, start: number, length: number) => Buffer): number {
  const { bytes, fields, count } = located
  let sum = 0
  for (let i = 0; i < count; i++)
    sum += view(bytes, fields[i * FIELDS + VALUE]!, fields[i * FIELDS + VALUE_LENGTH]!).length
  return sum
}

function measure(name: string, work: () => unknown): void {
  const rates: number[] = []
  for (let round = -2; round < ROUNDS; round++) {
    const start = performance.now()
    let calls = 0
    do {
      work()
      calls++
    } while (performance.now() - start < 100)
    if (round >= 0) rates.push((calls * BATCHES * RECORDS) / (performance.now() - start) / 1000)
  }
  rates.sort((a, b) => a - b)
  console.log(`${name.padEnd(28)} ${rates[rates.length >> 1]!.toFixed(1)}`)
}

const reader = new RecordBatchReader()
const plain = response('none')
const ranges = rangesOf(plain, true)
const located = (bytes: Buffer, at: Int32Array): LocatedRecords =>
  new FetchedRecords({ topic: 'bench', partition: 0, bytes, ranges: at, fromOffset: 0 }).locate()
const once = located(plain, ranges)

measure('batches, CRC checked', () => rangesOf(plain, true))
measure('batches, CRC not checked', () => rangesOf(plain, false))
measure('locate', () => located(plain, ranges))
measure('CRC and locate', () => located(plain, rangesOf(plain, true)))
measure('CRC, locate, view values', () => views(located(plain, rangesOf(plain, true)), viewOf))
measure('view values: viewOf', () => views(once, viewOf))
measure('view values: subarray', () => views(once, (bytes, start, length) => bytes.subarray(start, start + length)))
for (const codec of CODECS.slice(1)) {
  const bytes = response(codec)
  const at = rangesOf(bytes, true)
  measure(`decompress ${codec}, locate`, () => located(bytes, at))
}
