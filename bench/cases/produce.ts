import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runNode } from '../child.ts'
import { type Contender, race, type Sample } from '../measure.ts'
import { produceWithJava } from '../peers/java.ts'
import { hasKcat, produceWithKcat } from '../peers/kcat.ts'
import { CHUNK, hundredByteValues } from '../runners/task.ts'
import type { Case } from './case.ts'

const RECORDS = 6_000_000

export const produce: Case = {
  name: 'produce',
  summary: '6 million records of 100 bytes, acks=all, idempotent, linger 5 ms, batches of 64 KiB',
  async run({ bed, scaled, ...options }) {
    const records = scaled(RECORDS)
    const prepared = join(bed.folder, 'payloads')
    writeFileSync(prepared, hundredByteValues(CHUNK).join('\n'))

    /** Each run has a topic of its own, which must hold every record once in the end. */
    const writing = (
      name: string,
      side: Contender['side'],
      count: number,
      write: (topic: string) => Promise<Sample>,
    ): Contender => ({
      name,
      side,
      async run() {
        const topic = await bed.createTopic(bed.name('produced'))
        const sample = await write(topic)
        await bed.waitForRecords(topic, count)
        await bed.deleteTopic(topic)
        return sample
      },
    })
    const running = (runner: string, count: number) => (topic: string) =>
      runNode(runner, { bootstrapServers: bed.bootstrapServers, topic, records: count })
    const few = Math.ceil(records / 6)

    const contenders: Contender[] = [
      writing('millrace', 'ours', records, running('millrace-produce', records)),
      writing('java', 'peers', records, (topic) =>
        produceWithJava(bed, { topic, records, payload: { recordSize: 100 } }),
      ),
      writing('java-prepared', 'peers', records, (topic) =>
        produceWithJava(bed, { topic, records, payload: { file: prepared } }),
      ),
      writing('kafkajs', 'peers', few, running('kafkajs-produce', few)),
      writing('platformatic', 'peers', few, running('platformatic-produce', few)),
    ]
    if (hasKcat())
      contenders.push(
        writing('kcat', 'peers', records, (topic) =>
          produceWithKcat(bed, topic, records, linesFor(records, bed.folder)),
        ),
      )
    return race(contenders, options)
  },
}

/** A file with a line for each record, for a producer that sends a file once. */
function linesFor(records: number, folder: string): string {
  const file = join(folder, 'lines')
  const lines = `${hundredByteValues(CHUNK).join('\n')}\n`
  writeFileSync(file, '')
  for (let written = 0; written < records; written += CHUNK) {
    writeFileSync(file, records - written < CHUNK ? lines.slice(0, (records - written) * 101) : lines, { flag: 'a' })
  }
  return file
}
