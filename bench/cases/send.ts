import { runNode } from '../child.ts'
import { type Contender, race } from '../measure.ts'
import type { Case } from './case.ts'

const RECORDS = 2_000_000
const CALLERS = 1000

export const send: Case = {
  name: 'send',
  summary: '1,000 callers at a time await the acknowledgement of single records of 100 bytes, acks=all',
  async run({ bed, scaled, ...options }) {
    /** Each run has a topic of its own, which must hold every record once in the end. */
    const sending = (name: string, side: Contender['side'], records: number): Contender => ({
      name,
      side,
      async run() {
        const topic = await bed.createTopic(bed.name('sent'))
        const { bootstrapServers } = bed
        const sample = await runNode(`${name}-send`, { bootstrapServers, topic, records, callers: CALLERS })
        await bed.waitForRecords(topic, records)
        await bed.deleteTopic(topic)
        return sample
      },
    })
    const records = scaled(RECORDS)
    const few = Math.ceil(records / 20)
    return race(
      [sending('millrace', 'ours', records), sending('kafkajs', 'peers', few), sending('platformatic', 'peers', few)],
      options,
    )
  },
}
