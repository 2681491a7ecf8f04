import type { Scenario } from '../scenario.ts'

/** Between two kills of a worker: longer ones let it come to work, shorter ones hit it while it starts. */
const LONGEST_LIFE_MS = 5000

export const killWorker: Scenario = {
  name: 'kill-worker',
  summary: 'SIGKILL at random moments, and a restart with the same id',
  bed: 'any',
  breaks: ['process'],
  async disturb(run) {
    const { random } = run.context
    // A static member gets its partitions back at once, the other one only when its session has timed out.
    const workers = [run.worker('static', { source: { 'group.instance.id': 'static' } }), run.worker('dynamic')]
    for (const worker of workers) worker.start()
    while (run.goesOn) {
      await run.wait(random.between(300, LONGEST_LIFE_MS))
      const worker = random.chance(0.7) ? workers[0]! : workers[1]!
      await worker.kill()
      run.fault('kill', worker.name)
      worker.start()
    }
  },
}
