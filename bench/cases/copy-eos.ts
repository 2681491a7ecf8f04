import { race } from '../measure.ts'
import type { Case } from './case.ts'
import { orderFile, orderTopic, runPipeline } from './copy.ts'

const RECORDS = 4_000_000

/** What transactions cost: the same pipeline file with and without `delivery: exactly_once`. */
export const copyEos: Case = {
  name: 'copy-eos',
  summary: '4 million JSON orders from topic to topic, exactly_once against at_least_once',
  async run(bench) {
    const records = bench.scaled(RECORDS)
    const topic = await orderTopic(bench, await orderFile(bench), records, 'none')
    return race(
      [
        {
          name: 'exactly-once',
          side: 'ours',
          run: () => runPipeline(bench, topic, records, [], {}, { delivery: 'exactly_once' }),
        },
        { name: 'at-least-once', side: 'peers', run: () => runPipeline(bench, topic, records, []) },
      ],
      bench,
    )
  },
}
