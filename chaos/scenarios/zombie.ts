import { SESSION_TIMEOUT_MS } from '../run.ts'
import type { Scenario } from '../scenario.ts'

export const zombie: Scenario = {
  name: 'zombie',
  summary: 'SIGSTOP one of two instances for twice the session timeout, then SIGCONT',
  brokers: 'any',
  async disturb(run) {
    const { random } = run.context
    const workers = [run.worker('one'), run.worker('two')]
    for (const worker of workers) worker.start()
    const members = async (): Promise<number> => {
      const { state, members } = await run.admin.describeGroup(run.groupId)
      return state === 'Stable' ? members.filter(({ assignment }) => assignment.length > 0).length : 0
    }
    do {
      await run.until('both own partitions', async () => (await members()) === 2)
      const victim = random.pick(workers)
      await run.wait(random.between(0, 500))
      victim.pause()
      run.fault('pause', victim.name)
      // Not cut short by the end of the scenario: a pause that nobody notices is no fault.
      const paused = performance.now()
      await run.until('the other one owns everything', async () => (await members()) === 1)
      await run.until('the pause was long enough', () => performance.now() - paused >= 2 * SESSION_TIMEOUT_MS)
      victim.resume()
    } while (run.goesOn)
    await run.until('the zombie is a member again', async () => (await members()) === 2)
  },
}
