import { once } from 'node:events'
import { endWithUs, runNode } from '../child.ts'
import { cpuPerMillion, race } from '../measure.ts'
import { runJavaProgram, startJavaProgram } from '../peers/java.ts'
import type { Case } from './case.ts'

const PARTITIONS = 1000
const PER_SECOND = 1000
const WARM_UP_SECONDS = 15
const SECONDS = 30

export const partitions: Case = {
  name: 'partitions',
  summary: '1000 partitions to which 1000 records a second are written in all: CPU of a consumer once it is warm',
  async run({ bed, scaled, ...options }) {
    const topic = await bed.createTopic(bed.name('partitions'), {}, PARTITIONS)
    const writer = await startJavaProgram(bed, 'WriteSteadily', [
      bed.bootstrapServers,
      topic,
      `${PARTITIONS}`,
      `${PER_SECOND}`,
    ])
    endWithUs(writer)
    writer.stderr?.resume()
    await once(writer.stdout!, 'data')
    writer.stdout!.resume()
    const share = scaled(1_000_000) / 1_000_000
    const task = () => ({
      bootstrapServers: bed.bootstrapServers,
      topic,
      groupId: bed.name('steady'),
      warmUpSeconds: Math.ceil(WARM_UP_SECONDS * share),
      seconds: Math.ceil(SECONDS * share),
    })
    /** Whatever holds the writer up is not what is measured. */
    const atPace = (run: () => ReturnType<typeof runNode>) => async () => {
      for (;;) {
        const sample = await run()
        if (sample.records > 0.9 * PER_SECOND * sample.seconds) return sample
        options.progress(`${sample.records} records in ${sample.seconds.toFixed(0)} s is not the pace: once more`)
      }
    }
    try {
      const result = await race(
        [
          { name: 'cpu', side: 'ours', run: atPace(() => runNode('millrace-steady', task())) },
          { name: 'java', side: 'peers', run: atPace(() => runJavaProgram(bed, 'ConsumeSteadily', task())) },
        ],
        options,
        undefined,
        cpuPerMillion,
      )
      return { ...result, unit: 'CPU seconds per million records' }
    } finally {
      const ended = once(writer, 'close')
      writer.kill('SIGKILL')
      await ended
    }
  },
}
