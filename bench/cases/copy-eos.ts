import { race } from '../measure.ts'
import { runStreams } from '../peers/streams.ts'
import type { Case } from './case.ts'
import { orderFile, orderTopic, runPipeline } from './copy.ts'

const RECORDS = 4_000_000

/** What transactions cost: the same pipeline file with and without `delivery: exactly_once`, and Kafka Streams with `exactly_once_v2`. */
export const copyEos: Case = {
  name: 'copy-eos',
  summary: '4 million JSON orders from topic to topic, exactly_once against at_least_once and against Kafka Streams',
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
        {
          name: 'kafka-streams',
          side: 'peers',
          run: () =>
            runStreams(bench.bed, {
              topic,
              records,
              // Both commit every 100 ms, which is their default.
              properties: { 'processing.guarantee': 'exactly_once_v2' },
            }),
        },
      ],
      bench,
    )
  },
}
