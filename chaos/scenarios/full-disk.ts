import { execFile } from 'node:child_process'
import { createReadStream, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Tally } from '../check.ts'
import { keyOf } from '../generator.ts'
import type { Run } from '../run.ts'
import type { Scenario } from '../scenario.ts'
import type { Worker } from '../worker.ts'

const LONGEST_FULL_MS = 3000
/** So much fits before the disk is full, which is rarely where a line ends. */
const ROOM = 3000

export const fullDisk: Scenario = {
  name: 'full-disk',
  summary:
    'a file can grow no further in the middle of a line; what ends, ends whole, and nothing is lost or written twice in part',
  bed: 'any',
  // What the sink of a linear file does, the sinks of stage graphs do as well.
  allowed: { file: ['linear'], delivery: ['at_least_once', 'at_most_once'], acks: ['default'] },
  breaks: ['process'],
  read: readFile,
  async disturb(run) {
    const { random } = run.context
    const sink = { type: 'file', options: { path: run.path('out.jsonl') } }
    const patient = run.worker('patient', {
      file: { sink, errorPolicy: { type: 'retry', maxRetries: 1000, initialBackoff: 'PT0.1S', maxBackoff: 'PT0.2S' } },
    })
    const strict = run.worker('strict', { file: { sink } })
    patient.start()
    await run.works()
    let worker = patient
    while (run.goesOn) {
      if (!worker.isRunning) worker.start()
      await run.until('more is written', growing(run))
      const ended = worker === strict ? run.endOf(worker, 'the run has ended on a full disk') : undefined
      await limit(worker, size(run) + random.between(0, ROOM))
      run.fault('full', worker.name)
      await run.wait(random.between(500, LONGEST_FULL_MS))
      if (ended !== undefined) {
        const { code } = await ended
        if (code === 0 || !worker.log.includes('FILE_UNWRITABLE'))
          run.problem(`${worker.name} ended with ${code} on a full disk: ${worker.log}`)
      } else if (random.chance(0.3)) {
        await worker.kill()
        run.fault('kill', worker.name)
      } else await limit(worker, undefined)
      if (!worker.isRunning) worker = random.pick([patient, strict])
    }
    if (!worker.isRunning) worker.start()
  },
}

/** Has writes of this process fail that would make a file larger, with EFBIG, as those to a full disk fail with ENOSPC. Needs no rights. */
async function limit({ pid }: Worker, bytes: number | undefined): Promise<void> {
  // Only the soft limit, which a process may be given back.
  if (pid !== undefined) await promisify(execFile)('prlimit', [`--pid=${pid}`, `--fsize=${bytes ?? 'unlimited'}:`])
}

function size(run: Run): number {
  return statSync(run.path('out.jsonl'), { throwIfNoEntry: false })?.size ?? 0
}

function growing(run: Run): () => boolean {
  const before = size(run)
  return () => size(run) > before
}

/** Every line has to be a whole one. */
async function readFile(run: Run, tally: Tally): Promise<void> {
  let line = 0
  for await (const text of createInterface({ input: createReadStream(run.path('out.jsonl')) })) {
    const n = Number(/^\{"n":(\d+)(?:,.*)?\}$/.exec(text)?.[1])
    tally.add(0, line++, keyOf(n), Number.isNaN(n) ? `not a line: ${text}` : text)
  }
}
