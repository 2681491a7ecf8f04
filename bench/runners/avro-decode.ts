/**
 * Decodes orders in Avro, in batches of 5,000 records as a source returns them: by the codec of pipelines through a registry, or by `avsc` alone.
 * The clock runs from the first batch to the last; fetching the schema and compiling its reader are included.
 */

import { readFileSync } from 'node:fs'
import avsc from 'avsc'
import { codecByName, decodeDocuments } from '../../packages/millrace/src/codecs/index.ts'
import type { Batch } from '../../packages/millrace/src/records/batch.ts'
import { sharedRegistry } from '../../packages/millrace/src/schema-registry/index.ts'
import { withSchemaId } from '../../packages/millrace/src/schema-registry/wire-format.ts'
import { batchOf } from '../../packages/millrace/test/support/batches.ts'
import { type AvroTask, done, task } from './task.ts'

const { registry: url, id, schema, file, records, mode } = task<AvroTask>()
const BATCH = 5000
const PREFIX = 5
const DISTINCT_ORDERS = 1000

const type = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema)
const orders = readFileSync(file, 'utf8').split('\n', DISTINCT_ORDERS)
const values = orders.map((order) => withSchemaId(id, type.toBuffer(JSON.parse(order))))
const made = Array.from({ length: 20 }, (_, b) =>
  batchOf(Array.from({ length: BATCH }, (__, i) => values[(b * BATCH + i) % values.length]!)),
)

let read = 0
let amounts = 0
const start = performance.now()
if (mode === 'avsc')
  for (; read < records; read += BATCH) {
    const batch = made[(read / BATCH) % made.length]!
    const documents: unknown[] = []
    for (let row = 0; row < batch.length; row++) documents.push(type.fromBuffer(batch.value(row)!.subarray(PREFIX)))
    amounts += (documents[0] as { readonly amount: number }).amount
  }
else await decodeAll()
const seconds = (performance.now() - start) / 1000
done({ records: read, seconds, amounts })

async function decodeAll(): Promise<void> {
  const settings = { urls: [url], credentials: undefined, headers: {}, tls: undefined, requestTimeoutMs: 10_000 }
  const backoff = { retryTimeoutMs: 10_000, retryBackoffMs: 100, retryBackoffMaxMs: 1000, latestTtlMs: 0 }
  const store = sharedRegistry({ ...settings, ...backoff }, '/').registry
  const use = { part: 'value', store, own: undefined, message: undefined, writing: undefined, latestTtlMs: 0 } as const
  const codec = codecByName('avro', '', { ...use, warn: () => {} })
  const signal = new AbortController().signal
  for (; read < records; read += BATCH) {
    const batch: Batch = made[(read / BATCH) % made.length]!
    await codec.prepare!(batch, signal)
    decodeDocuments(batch, codec)
    amounts += (batch.documents![0] as { readonly amount: number }).amount
    // As a pipeline does when a batch was written.
    batch.documents = undefined
  }
}
