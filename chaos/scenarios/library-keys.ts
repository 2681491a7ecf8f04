import type { Scenario } from '../scenario.ts'

const RATE = 500
const LONGEST_LIFE_MS = 4000

export const libraryKeys: Scenario = {
  name: 'library-keys',
  summary: 'programs that handle many records at a time, in order by key, and that are stopped and killed',
  bed: 'any',
  allowed: { file: ['library'], delivery: ['at_least_once'] },
  breaks: ['process'],
  rate: RATE,
  async disturb(run) {
    const { random } = run.context
    const keys = { loop: 'keys', mistakes: 0.02 } as const
    const workers = [
      run.worker('auto', { program: keys }),
      run.worker('each-batch', { program: keys, source: { commit: { strategy: 'each_batch' } } }),
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
