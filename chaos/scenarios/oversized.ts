import type { ProducerRecord } from '../../packages/millrace/src/records/record.ts'
import { Generator, keyOf } from '../generator.ts'
import type { Run } from '../run.ts'
import type { Scenario } from '../scenario.ts'
import type { Worker } from '../worker.ts'

/** What the output takes in one record batch: far less than the batches of the input have. */
const MAX_BYTES = 20_000
const PADDING = 1000
const HUGE_EVERY = 500

interface Facts {
  worker?: Worker
  /** Records that no batch of the output can hold. */
  huge: number
}

const facts = new WeakMap<Run, Facts>()

export const oversized: Scenario = {
  name: 'oversized',
  summary:
    'the output takes smaller batches than the pipeline makes, and some records not at all: parts in order, the rest skipped',
  bed: 'any',
  // The broker says what is too large unless acks are 0, and only linear files skip it.
  allowed: { file: ['linear'], acks: ['default', 'all', '1'] },
  breaks: [],
  outputConfigs: { 'max.message.bytes': String(MAX_BYTES) },
  input: (run) => {
    const { bed, rate, random } = run.context
    const own: Facts = { huge: 0 }
    facts.set(run, own)
    const besides = (n: number): ProducerRecord[] => {
      if (n % HUGE_EVERY !== 0) return []
      own.huge++
      return [{ key: keyOf(n), value: `{"n":-1,"text":"${noise(random.next(), 2 * MAX_BYTES)}"}` }]
    }
    const properties = {
      'compression.type': random.pick(['none', 'gzip', 'zstd']),
      'batch.size': 200_000,
      'linger.ms': 50,
    }
    const common = { bootstrapServers: bed.bootstrapServers, topic: run.input, rate, ready: run.reads() }
    return new Generator({ ...common, padding: PADDING, besides, properties })
  },
  async disturb(run) {
    const { random } = run.context
    const sink = random.pick([
      {},
      { 'compression.type': 'gzip', 'compression.gzip.level': 9 },
      { 'compression.type': 'zstd', 'compression.zstd.level': 3 },
      { 'batch.size': 100_000, 'linger.ms': 20 },
    ])
    const worker = run.worker('skipping', { sink, file: { errorPolicy: 'skip' } })
    facts.get(run)!.worker = worker
    worker.start()
    run.fault('small-output', JSON.stringify(sink))
    await run.reads()
    while (run.goesOn) await run.wait(1000)
  },
  verify(run) {
    const { worker, huge } = facts.get(run)!
    const skipped = worker?.summary?.errors.skipped
    // A restart of an aborted transaction may count a record again.
    if (skipped?.['RECORD_TOO_LARGE'] !== huge || Object.keys(skipped).length !== 1)
      run.problem(`${huge} records were too large, and these were skipped: ${JSON.stringify(skipped)}`)
    return Promise.resolve()
  },
}

/** Text that no codec makes small. */
function noise(seed: number, length: number): string {
  let state = Math.floor(seed * 2 ** 31)
  let text = ''
  while (text.length < length) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    text += state.toString(36)
  }
  return text
}
