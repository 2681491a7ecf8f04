import { Generator } from '../generator.ts'
import type { Scenario } from '../scenario.ts'

const PRODUCE_MS = 1000
/** Large values, so that memory would fill up if it could. */
const PADDING = 2000
const PEAK_BYTES = 400 << 20
const SAMPLE_MS = 500

export const slowSink: Scenario = {
  name: 'slow-sink',
  summary: 'a sink that takes one record per partition and second: bounded memory, no rebalance',
  bed: 'proxied',
  allowed: { delivery: ['at_least_once'], brokers: [1], partitions: [6], stages: ['one'] },
  breaks: [],
  input: (run) => {
    const { bed, rate } = run.context
    return new Generator({
      bootstrapServers: bed.bootstrapServers,
      topic: run.input,
      rate,
      padding: PADDING,
      ready: run.reads(),
    })
  },
  async disturb(run) {
    const { bed } = run.context
    const [proxy] = bed.proxies
    const worker = run.worker('slow', {
      source: { bootstrapServers: bed.bootstrapServers },
      sink: {
        'batch.size': 1,
        'linger.ms': 0,
        'max.in.flight.requests.per.connection': 1,
        // At this rate, what fits into memory takes its time.
        'delivery.timeout.ms': 3_600_000,
      },
    })
    worker.start()
    await run.works()
    const members = async (): Promise<string> =>
      (await run.groups.describeGroup(run.groupId)).members.map(({ memberId }) => memberId).join()
    const before = await members()
    proxy!.answerDelayMs.set('Produce', PRODUCE_MS)
    run.fault('slow')
    while (run.goesOn) {
      await run.wait(SAMPLE_MS)
      worker.measure()
    }
    const megabytes = Math.round(worker.peakBytes / (1 << 20))
    run.context.tell(`${worker.name} had ${megabytes} MB at the most`)
    if (worker.peakBytes > PEAK_BYTES) run.problem(`${worker.name} grew to ${megabytes} MB`)
    const after = await members()
    if (after !== before) run.problem(`the group was rebalanced: its member was ${before} and is ${after}`)
    proxy!.answerDelayMs.clear()
    // One record per request takes its time: what is left is written by one that does not know of any of this.
    await worker.stop()
    run.worker('fast', { source: { bootstrapServers: bed.bootstrapServers } }).start()
  },
}
