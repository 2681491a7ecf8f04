/**
 * What decoding, stages and encoding cost per record, without Kafka: JSON orders of about 155 bytes in batches of 5000.
 *
 * `node bench/micro/documents.ts [name]` prints records/s, the median of nine rounds.
 */
import { decodeDocuments, encodeDocuments, codecByName } from '../../packages/millrace/src/codecs/index.ts'
import { createStage } from '../../packages/millrace/src/stages/index.ts'
import { batchOf } from '../../packages/millrace/test/support/batches.ts'
import type { Batch } from '../../packages/millrace/src/records/batch.ts'

const BATCHES = 20
const RECORDS = 5000
const ROUNDS = 9

const json = codecByName('json')
const batches = Array.from({ length: BATCHES }, (_, b) =>
  batchOf(Array.from({ length: RECORDS }, (__, i) => ({ key: `customer-${i % 500}`, value: order(b * RECORDS + i) }))),
)

function order(i: number): string {
  const amount = ((i * 31_337) % 20_000) / 100
  return JSON.stringify({
    orderId: 100_000 + i,
    customer: `customer-${(i * 7919) % 50_000}`,
    amount,
    currency: ['EUR', 'USD', 'GBP'][i % 3],
    status: ['new', 'paid', 'shipped'][i % 3],
    items: 1 + (i % 7),
    country: 'DE',
    createdAt: new Date(1.7e12 + i * 1000).toISOString(),
  })
}

const CASES: { readonly [name: string]: readonly { readonly [stage: string]: unknown }[] } = {
  decode: [],
  match: [{ $match: { amount: { $gte: 100 } } }],
  'match three fields': [
    { $match: { amount: { $gte: 100 }, currency: { $in: ['EUR', 'USD'] }, status: { $ne: 'new' } } },
  ],
  'match by expression': [{ $match: { $expr: { $gte: ['$amount', 100] } } }],
  'set a constant': [{ $set: { checked: true } }],
  'set by field path': [{ $set: { 'buyer.id': '$customer' } }],
  'set by expression': [{ $set: { total: { $multiply: ['$amount', '$items'] } } }],
  unset: [{ $unset: ['country', 'createdAt'] }],
  'project names': [{ $project: { orderId: 1, amount: 1, currency: 1 } }],
  'project nested': [{ $project: { orderId: 1, money: { amount: '$amount', currency: '$currency' } } }],
  'replace root': [{ $replaceWith: { id: '$orderId', amount: '$amount' } }],
  etl: [
    { $match: { amount: { $gte: 100 } } },
    { $set: { total: { $multiply: ['$amount', '$items'] } } },
    { $unset: 'country' },
  ],
  'match on _meta': [{ $match: { '_meta.key': { $ne: 'customer-1' } } }],
}

for (const [name, specs] of Object.entries(CASES)) {
  if (process.argv[2] !== undefined && process.argv[2] !== name) continue
  const stages = specs.flatMap((spec, i) =>
    Object.entries(spec).map(([stage, value]) => createStage(stage, value, `stages.${i}.${stage}`)),
  )
  const rates = Array.from({ length: ROUNDS }, () => {
    const started = performance.now()
    for (const batch of batches) run(batch.derive({}), stages, name.includes('_meta'))
    return (BATCHES * RECORDS) / (performance.now() - started) / 1000
  }).sort((a, b) => a - b)
  const median = rates[ROUNDS >> 1]!
  console.log(
    `${name.padEnd(22)} ${median.toFixed(2).padStart(6)} million records/s ${(1000 / median).toFixed(0).padStart(6)} ns`,
  )
}

function run(batch: Batch, stages: readonly ReturnType<typeof createStage>[], attachMeta: boolean): void {
  decodeDocuments(batch, json, { attachMeta })
  let current: Batch | undefined = batch
  for (const stage of stages) current = current === undefined ? undefined : stage.process(current)
  if (current !== undefined) encodeDocuments(current, json)
}
