import { Generator } from '../generator.ts'
import type { Run } from '../run.ts'
import type { Scenario } from '../scenario.ts'
import type { Worker } from '../worker.ts'

/** Bytes of each value, all of which are the same: a record batch is some hundred times smaller on the wire. */
const PADDING = 50_000
/** 250 MB in the topic, which the broker holds in some 2 MB, before anything is read. */
const BACKLOG = 5000
const RATE = 100
const PEAK_BYTES = 700 << 20
const SAMPLE_MS = 200

export const compressionBomb: Scenario = {
  name: 'compression-bomb',
  summary: 'a topic whose record batches are hundreds of times larger than on the wire: bounded memory',
  bed: 'any',
  allowed: { partitions: [6] },
  breaks: [],
  rate: RATE,
  input: (run) => {
    const { bed, rate, random } = run.context
    const properties = {
      'compression.type': random.pick(['gzip', 'lz4', 'zstd']),
      'batch.size': 8 << 20,
      'linger.ms': 200,
      'buffer.memory': 256 << 20,
    }
    const common = { bootstrapServers: bed.bootstrapServers, topic: run.input, rate, ready: run.reads() }
    return new Generator({ ...common, padding: PADDING, backlog: BACKLOG, properties })
  },
  async disturb(run) {
    const first = run.worker('first')
    first.start()
    // What begins at the end of the topic has to be there before the backlog; the one that is measured reads all of it.
    await run.reads()
    await first.kill()
    await run.until('the backlog is written', async () => {
      const ends = await run.ends('read_uncommitted')
      return ends.reduce((sum, { offset }) => sum + offset, 0) >= BACKLOG
    })
    const worker = run.worker('measured')
    worker.start()
    run.fault('bomb')
    while (run.goesOn) await measure(run, worker)
    await run.until('the backlog is copied', async () => {
      worker.measure()
      return (await run.totalCommitted()) >= BACKLOG
    })
    const megabytes = Math.round(worker.peakBytes / (1 << 20))
    run.context.tell(`${worker.name} had at most ${megabytes} MB`)
    if (worker.peakBytes > PEAK_BYTES) run.problem(`${worker.name} grew to ${megabytes} MB`)
  },
}

async function measure(run: Run, worker: Worker): Promise<void> {
  worker.measure()
  await run.wait(SAMPLE_MS)
}
