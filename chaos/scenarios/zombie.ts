import type { Run } from '../run.ts'
import type { Scenario } from '../scenario.ts'

export const zombie: Scenario = {
  name: 'zombie',
  summary: 'SIGSTOP one of two instances for twice the session timeout, then SIGCONT; two with one transactional id',
  bed: 'any',
  breaks: ['process'],
  async disturb(run) {
    const { random } = run.context
    const workers = [run.worker('one'), run.worker('two')]
    for (const worker of workers) worker.start()
    const members = async (): Promise<number> => {
      const { state, members } = await run.groups.describeGroup(run.groupId)
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
      await run.until('the pause was long enough', () => performance.now() - paused >= 2 * run.sessionMs)
      victim.resume()
      if (run.context.setting.delivery === 'exactly_once') await fenced(run, members)
    } while (run.goesOn)
    await run.until('the zombie is a member again', async () => (await members()) === 2)
  },
}

/** Of two instances with the same transactional id exactly one is fenced, the one that came first; the other goes on (I5). */
async function fenced(run: Run, members: () => Promise<number>): Promise<void> {
  const sink = { 'transactional.id': `${run.groupId}-twin` }
  const [first, second] = [run.worker('first-twin', { sink }), run.worker('second-twin', { sink })]
  first.start()
  await run.until('the first twin owns partitions', async () => (await members()) === 3)
  await everyPartitionAdvances(run)
  second.start()
  const { code } = await first.ended()
  run.fault('same-id')
  if (code !== 1 || !first.log.includes('PRODUCER_FENCED'))
    run.problem(`${first.name} ended with code ${code} when it was to be fenced: ${first.log}`)
  await run.until('the second twin owns partitions', async () => (await members()) === 3)
  await everyPartitionAdvances(run)
  await second.stop() // with code 0, or it is a problem
}

/** Whoever owns partitions commits. */
async function everyPartitionAdvances(run: Run): Promise<void> {
  const before = await run.committed()
  await run.until('more of every partition was committed', async () => {
    const now = await run.committed()
    return [...now].every(([partition, offset]) => offset > (before.get(partition) ?? 0))
  })
}
