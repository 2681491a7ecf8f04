import type { ProducerRecord } from '../../packages/millrace/src/records/record.ts'
import { readWithOurs } from '../check.ts'
import { Generator, keyOf } from '../generator.ts'
import type { Run, WorkerOptions } from '../run.ts'
import type { Scenario } from '../scenario.ts'
import type { RunSummary, Worker } from '../worker.ts'

const LARGE_BYTES = 10 << 20
/** Throws for whatever has no integer above 0. Tombstones are no poison: they pass. */
const STAGES = [{ $replaceRoot: { newRoot: { $cond: [{ $gt: ['$n', 0] }, '$$ROOT', 'no integer'] } } }]

/** One record in a hundred, of each kind in turn. */
const POISON: readonly { readonly code: string; readonly value: () => string }[] = [
  { code: 'DECODE_FAILED', value: () => '{"n":' },
  { code: 'STAGE_FAILED', value: () => '{}' },
  { code: 'STAGE_FAILED', value: () => '{"n":-1}' },
]
const LARGE = { code: 'RECORD_TOO_LARGE', value: () => `{"n":1,"text":"${'x'.repeat(LARGE_BYTES)}"}` }
/** The integer after which the large one comes: early, so that short runs have it too. */
const BEFORE_LARGE = 1050

type Counts = { [code: string]: number }

/** What was put in, by the code with which it has to fail. */
const written = new WeakMap<Run, Counts>()
const workers = new WeakMap<Run, { readonly skipping: Worker; readonly lettering: Worker }>()

export const poison: Scenario = {
  name: 'poison',
  summary: '1 % undecodable, 10 MB and throwing records: each error policy does what it says and counts it',
  bed: 'any',
  // Only linear files have all of these policies.
  allowed: { delivery: ['at_least_once'], file: ['linear'], stages: ['one'] },
  breaks: [],
  input(run) {
    const { bed, rate } = run.context
    const counts: Counts = {}
    written.set(run, counts)
    const besides = (n: number): ProducerRecord[] => {
      const kind = n === BEFORE_LARGE ? LARGE : n % 100 === 0 ? POISON[(n / 100) % POISON.length]! : undefined
      if (kind === undefined) return []
      counts[kind.code] = (counts[kind.code] ?? 0) + 1
      return [{ key: keyOf(n), value: kind.value() }]
    }
    return new Generator({
      bootstrapServers: bed.bootstrapServers,
      topic: run.input,
      rate,
      besides,
      ready: run.reads(),
    })
  },
  async disturb(run) {
    await run.admin.createTopic({ name: deadLetters(run), partitions: 1 })
    await stopsAtTheFirst(run)
    const { seconds } = run.context
    const skipping = run.worker('skipping', withPolicy('skip'))
    const lettering = run.worker('lettering', withPolicy({ deadLetter: { topic: deadLetters(run) } }))
    workers.set(run, { skipping, lettering })
    skipping.start()
    await run.works()
    await run.wait((seconds * 1000) / 2)
    run.fault('skip')
    await skipping.stop()
    lettering.start()
    run.fault('deadLetter')
    while (run.goesOn) await run.wait(1000)
  },
  async verify(run) {
    const { skipping, lettering } = workers.get(run)!
    const skipped = countsOf(skipping.summary, 'skipped')
    const lettered = countsOf(lettering.summary, 'deadLettered')
    const total: Counts = { ...skipped }
    for (const [code, count] of Object.entries(lettered)) total[code] = (total[code] ?? 0) + count
    const want = written.get(run)!
    run.context.tell(`skipped ${JSON.stringify(skipped)}, dead letters ${JSON.stringify(lettered)}`)
    for (const code of new Set([...Object.keys(want), ...Object.keys(total)]))
      if (want[code] !== total[code])
        run.problem(`${want[code] ?? 0} records had to fail with ${code}, ${total[code] ?? 0} were counted`)
    let letters = 0
    await readWithOurs(run.context.bed.bootstrapServers, deadLetters(run), { add: () => letters++ })
    const counted = Object.values(lettered).reduce((sum, count) => sum + count, 0)
    if (letters !== counted) run.problem(`${counted} dead letters were counted, ${letters} are there`)
    await run.admin.deleteTopics([deadLetters(run)])
  },
}

function deadLetters(run: Run): string {
  return `${run.output}-dead`
}

function withPolicy(errorPolicy: unknown): WorkerOptions {
  return { file: { errorPolicy, stages: STAGES } }
}

/** With `fail` a run ends at the first of them with its place, nothing after it is committed, and the next run ends there again. */
async function stopsAtTheFirst(run: Run): Promise<void> {
  const worker = run.worker('failing', withPolicy('fail'))
  for (let round = 0; round < 2; round++) {
    worker.start()
    const { code } = await worker.ended()
    run.fault('fail')
    if (code !== 1) run.problem(`${worker.name} ended with ${code} at a record that fails: ${worker.log}`)
    // Quotes are escaped, as the log is JSON.
    const place = /offset (\d+) of \\?"[^"]+" partition (\d+)/.exec(worker.log)
    if (place === null) {
      run.problem(`${worker.name} does not say which record failed: ${worker.log}`)
      continue
    }
    const [offset, partition] = place.slice(1).map(Number) as [number, number]
    const committed = (await run.committed()).get(partition) ?? 0
    if (committed > offset)
      run.problem(`offset ${committed} of partition ${partition} is committed, though the record at ${offset} failed`)
  }
}

function countsOf(summary: RunSummary | undefined, fate: keyof RunSummary['errors']): Counts {
  return { ...summary?.errors[fate] }
}
