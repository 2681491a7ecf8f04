import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CaseResult, merge, race } from '../measure.ts'
import { consumeWithJava, produceWithJava } from '../peers/java.ts'
import type { Bench, Case } from './case.ts'
import { consumer } from './consume.ts'
import { orderFile } from './copy.ts'

const RECORDS = 2_000_000
const CODECS = ['zstd', 'lz4', 'snappy', 'gzip'] as const
/** Orders of about 155 bytes in a record of about 1 KB. */
const ORDERS_PER_RECORD = 6

export const compressed: Case = {
  name: 'compressed',
  summary: '2 million records of 1 KB JSON in each codec, 6 partitions, against the Java consumer',
  async run(bench) {
    const records = bench.scaled(RECORDS)
    const file = await kilobyteFile(bench)
    const chosen = CODECS.filter((codec) => bench.only?.includes(codec) ?? true)
    const results: CaseResult[] = []
    for (const codec of chosen) {
      const topic = await bench.bed.createTopic(bench.bed.name(codec))
      bench.progress(`writing ${records} records of 1 KB, ${codec}`)
      const properties = { 'compression.type': codec }
      await produceWithJava(bench.bed, { topic, records, payload: { file }, properties })
      const run = consumer(bench, topic, 'millrace-consume', records, { mode: 'batches' })
      results.push(
        await race(
          [
            { name: codec, side: 'ours', run },
            { name: `${codec}-java`, side: 'peers', run: () => consumeWithJava(bench.bed, topic, records) },
          ],
          { ...bench, only: undefined },
        ),
      )
      await bench.bed.deleteTopic(topic)
    }
    return merge(results)
  },
}

/** Records of about 1 KB, one per line. */
async function kilobyteFile(bench: Bench): Promise<string> {
  const orders = readFileSync(await orderFile(bench), 'utf8')
    .trimEnd()
    .split('\n')
  const lines = []
  for (let i = 0; i + ORDERS_PER_RECORD <= orders.length; i += ORDERS_PER_RECORD)
    lines.push(`{"number":${i},"orders":[${orders.slice(i, i + ORDERS_PER_RECORD).join(',')}]}`)
  const file = join(bench.bed.folder, 'kilobytes.jsonl')
  writeFileSync(file, lines.join('\n'))
  return file
}
