/**
 * Checks a run of examples/orders-etl.yaml by reading both topics with kafkajs: none of the code under test has a part in it.
 */

import { crc32 } from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { transformed } from './expected.ts'

// kafkajs leaves this codec to its users. It only reads here.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
  compress: () => Promise.reject(new Error('Nothing is written here')),
  decompress: async (bytes: Buffer) => compressionsAlgorithms.lz4.decompressSync(bytes),
})

export interface Verdict {
  /** Orders of the input that match. */
  expected: number
  /** Records of the output. */
  found: number
  /** Expected and not there. */
  lost: number
  /** There more than once. */
  duplicated: number
  /** There with another key or value than expected, or not expected at all; what should have been there instead counts as lost. */
  wrong: number
  /** There after a later order of the same key. */
  overtaken: number
}

interface Orders {
  input: string
  output: string
  /** Orders have the numbers 1 to this. */
  records: number
}

/** @throws {Error} when the input does not hold each order exactly once */
export async function verify(bootstrapServers: string, { input, output, records }: Orders): Promise<Verdict> {
  const kafka = new kafkajs.Kafka({
    clientId: 'demo-verify',
    brokers: bootstrapServers.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const fingerprints = new Uint32Array(records + 1)
  const isExpected = new Uint8Array(records + 1)
  const seen = new Uint8Array(records + 1)
  let expected = 0
  let inputRecords = 0
  await readAll(kafka, input, (key, value) => {
    const order = JSON.parse(value.toString()) as Parameters<typeof transformed>[0]
    const wanted = transformed(order)
    inputRecords++
    seen[order.order_id]!++
    if (wanted === undefined) return
    expected++
    isExpected[order.order_id] = 1
    fingerprints[order.order_id] = fingerprint(key, JSON.stringify(wanted))
  })
  if (inputRecords !== records || !seen.subarray(1).every((count) => count === 1)) {
    throw new Error(`Topic "${input}" must hold each of ${records} orders once: it holds ${inputRecords} records`)
  }

  seen.fill(0)
  const verdict: Verdict = { expected, found: 0, lost: 0, duplicated: 0, wrong: 0, overtaken: 0 }
  const lastOfKey = new Map<string, number>()
  await readAll(kafka, output, (key, value) => {
    const text = value.toString()
    const { order_id: id } = JSON.parse(text) as { order_id: number }
    verdict.found++
    if (isExpected[id] !== 1 || fingerprints[id] !== fingerprint(key, text)) verdict.wrong++
    else if (seen[id] === 1) verdict.duplicated++
    else seen[id] = 1
    const name = key?.toString() ?? ''
    if (id < (lastOfKey.get(name) ?? 0)) verdict.overtaken++
    lastOfKey.set(name, id)
  })
  for (let id = 1; id <= records; id++) if (isExpected[id] === 1 && seen[id] === 0) verdict.lost++
  return verdict
}

/** Key and value as one number: 32 bits for each of a million orders instead of their text. */
function fingerprint(key: Buffer | null, value: string): number {
  return crc32(value, crc32(key ?? ''))
}

/** Reads a topic from its beginning to its present end. */
async function readAll(
  kafka: kafkajs.Kafka,
  topic: string,
  each: (key: Buffer | null, value: Buffer) => void,
): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  const ends = new Map(
    (await admin.fetchTopicOffsets(topic)).map(({ partition, low, high }) => [
      partition,
      { next: Number(low), end: Number(high) },
    ]),
  )
  await admin.disconnect()
  const isRead = () => [...ends.values()].every(({ next, end }) => next >= end)
  if (isRead()) return

  const consumer = kafka.consumer({ groupId: `demo-verify-${process.pid}-${topic}` })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      const eachBatch = async ({ batch }: kafkajs.EachBatchPayload): Promise<void> => {
        const progress = ends.get(batch.partition)
        if (progress === undefined) return
        for (const { key, value, offset } of batch.messages) {
          // A batch may be fetched again when the consumer has to start over.
          if (Number(offset) < progress.next) continue
          progress.next = Number(offset) + 1
          each(key, value ?? Buffer.alloc(0))
        }
        if (isRead()) resolve()
      }
      consumer.run({ autoCommit: false, eachBatch }).catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
}
