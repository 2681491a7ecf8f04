import { runNode } from '../child.ts'
import { type CaseResult, type Contender, merge, race } from '../measure.ts'
import { runJavaProgram } from '../peers/java.ts'
import type { Case } from './case.ts'

/** Records that are sent one after the other, and records at a pace; and what of their times counts. */
const ONE = { records: 10_000, warmUp: 5000, perSecond: 0, lingerMs: 0, counts: 'p50' }
const PACED = { records: 150_000, warmUp: 50_000, perSecond: 10_000, counts: 'p99' }
const KINDS = { one: ONE, rate: { ...PACED, lingerMs: 0 }, 'rate-linger-5': { ...PACED, lingerMs: 5 } }

export const latency: Case = {
  name: 'latency',
  summary:
    'time of single records of 100 bytes until acks=all: one at a time, and 10,000 a second with linger 0 and 5 ms',
  async run({ bed, scaled, only, ...options }) {
    const results: CaseResult[] = []
    for (const [name, { counts, ...work }] of Object.entries(KINDS)) {
      if (only !== undefined && !only.includes(name)) continue
      const sized = { ...work, records: scaled(work.records), warmUp: scaled(work.warmUp) }
      const running =
        (run: (task: object) => ReturnType<typeof runNode>): Contender['run'] =>
        async () => {
          const topic = await bed.createTopic(bed.name('latency'))
          const sample = await run({ bootstrapServers: bed.bootstrapServers, topic, ...sized })
          // And the one before the clock starts.
          await bed.waitForRecords(topic, sized.records + sized.warmUp + 1)
          await bed.deleteTopic(topic)
          return sample
        }
      const contenders: Contender[] = [
        { name, side: 'ours', run: running((task) => runNode('millrace-latency', task)) },
        { name: `${name}-java`, side: 'peers', run: running((task) => runJavaProgram(bed, 'ProduceLatency', task)) },
      ]
      results.push(
        await race(contenders, { ...options, only: undefined }, undefined, (sample) => sample.milliseconds![counts]!),
      )
    }
    return { ...merge(results), unit: 'milliseconds: p50 of one, p99 of the others' }
  },
}
