import type { Scenario } from '../scenario.ts'

/** A program waits for each record to be written, so it is given what it can bear. */
const RATE = 100
const LONGEST_LIFE_MS = 4000

export const libraryLoop: Scenario = {
  name: 'library-loop',
  summary: 'programs whose handlers throw, which leave their loops and read on, and which are killed',
  bed: 'any',
  allowed: { file: ['library'], delivery: ['at_least_once'] },
  breaks: ['process'],
  rate: RATE,
  async disturb(run) {
    const { random } = run.context
    const records = { loop: 'records', mistakes: 0.02 } as const
    const workers = [
      run.worker('auto', { program: records }),
      run.worker('each-batch', { program: records, source: { commit: { strategy: 'each_batch' } } }),
      run.worker('small', { program: records, source: { 'max.poll.records': 7 } }),
    ]
    // One at a time: who has all partitions has the records of each key in order.
    while (run.goesOn) {
      const worker = random.pick(workers)
      worker.start()
      await run.wait(random.between(500, LONGEST_LIFE_MS))
      const isKilled = random.chance(0.5)
      await (isKilled ? worker.kill() : worker.stop())
      run.fault(isKilled ? 'kill' : 'stop', worker.name)
    }
    workers[0]!.start()
  },
}
