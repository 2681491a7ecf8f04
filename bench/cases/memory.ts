import { setTimeout as sleep } from 'node:timers/promises'
import { Bed } from '../bed.ts'
import { runNode } from '../child.ts'
import { type Contender, race, type Sample } from '../measure.ts'
import type { Case } from './case.ts'
import { hundredByteTopic } from './consume.ts'
import { startPipeline } from './copy.ts'

/** 2 GB of values. */
const RECORDS = 20_000_000
const STALL_SECONDS = 30
/** Shorter than any stall: whoever does not heartbeat meanwhile is thrown out of the group. */
const SESSION_TIMEOUT_MS = 6000

export const memory: Case = {
  name: 'memory',
  summary:
    'a backlog of 2 GB and a consumer, or an output broker, that stands still: resident size, rebalances, speed afterwards',
  async run(bench) {
    const { bed } = bench
    const records = bench.scaled(RECORDS)
    const topic = await hundredByteTopic(bench, records)
    const stallSeconds = Math.max((SESSION_TIMEOUT_MS / 1000) * 1.5, Math.min(1, records / RECORDS) * STALL_SECONDS)
    const outlet = await Bed.start({ own: true })
    const groups: string[] = []
    const newGroup = (name: string): string => {
      groups.push(bed.name(name))
      return groups.at(-1)!
    }

    const library = (seconds: number) => () =>
      runNode('millrace-stall', {
        bootstrapServers: bed.bootstrapServers,
        topic,
        groupId: newGroup('library'),
        records,
        stallAfter: records / 10,
        stallSeconds: seconds,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
      })

    /** Input on one broker, output on another one that is stopped in its tracks: connections stay open and nothing answers. */
    const pipeline = (seconds: number) => async (): Promise<Sample> => {
      const output = await outlet.createTopic(outlet.name('output'))
      const source = { topic, groupId: newGroup('pipeline'), 'session.timeout.ms': SESSION_TIMEOUT_MS }
      const run = startPipeline(bed, {
        source,
        stages: [],
        // The default of 10 s would, rightly, end the run.
        sink: { topic: output, bootstrapServers: outlet.bootstrapServers, flushTimeout: 'PT5M' },
      })
      const stalled = stallOutlet(outlet, output, records, seconds)
      // When the run fails first, its error is the one to tell.
      const ended = await Promise.race([run, stalled.then(() => run)])
      const sample = await stalled
      await outlet.deleteTopic(output)
      return { ...sample, cpuSeconds: ended.cpuSeconds, residentMegabytes: ended.residentMegabytes }
    }

    const contenders: Contender[] = [
      { name: 'library', side: 'ours', run: library(stallSeconds) },
      { name: 'library-unstalled', side: 'ours', run: library(0) },
      { name: 'pipeline', side: 'ours', run: pipeline(stallSeconds) },
      { name: 'pipeline-unstalled', side: 'ours', run: pipeline(0) },
    ]
    try {
      const result = await race(contenders, bench, ['library/library-unstalled', 'pipeline/pipeline-unstalled'])
      return { ...result, rebalances: bed.rebalancesOf(groups), stallSeconds }
    } finally {
      outlet.resume()
      await outlet.stop()
    }
  },
}

/** Stops the broker when a tenth has arrived, lets it go on after some seconds, and times the rest by what arrives. */
async function stallOutlet(outlet: Bed, topic: string, records: number, seconds: number): Promise<Sample> {
  let arrived = 0
  while ((arrived = await outlet.countRecords(topic)) < records / 10) await sleep(20)
  if (seconds > 0) {
    outlet.pause()
    await sleep(seconds * 1000)
    outlet.resume()
  }
  const resumedAt = performance.now()
  await outlet.waitForRecords(topic, records)
  return { records: records - arrived, seconds: (performance.now() - resumedAt) / 1000, cpuSeconds: undefined }
}
