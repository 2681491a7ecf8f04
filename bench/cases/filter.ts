import { readFileSync } from 'node:fs'
import { race } from '../measure.ts'
import { copyWithMirrorMaker } from '../peers/mirrormaker.ts'
import type { Case } from './case.ts'
import { orderFile, orderTopic, runPipeline } from './copy.ts'

const RECORDS = 4_000_000

export const filter: Case = {
  name: 'filter',
  summary:
    '4 million JSON orders, those with an amount of at least 100 from topic to topic, against a plain copy by MirrorMaker 2',
  async run(bench) {
    const records = bench.scaled(RECORDS)
    const file = await orderFile(bench)
    const topic = await orderTopic(bench, file, records, 'none')
    const stages = [{ $match: { amount: { $gte: 100 } } }]
    const result = await race(
      [
        { name: 'millrace', side: 'ours', run: () => runPipeline(bench, topic, records, stages) },
        { name: 'mirrormaker', side: 'peers', run: () => copyWithMirrorMaker(bench.bed, topic, records) },
      ],
      bench,
    )
    return { ...result, matching: shareOfMatching(file) }
  },
}

/** The share of the orders that the filter lets through; rates are of records read. */
function shareOfMatching(file: string): number {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.filter((line) => (JSON.parse(line) as { amount: number }).amount >= 100).length / lines.length
}
