import type { Run } from '../run.ts'
import type { Scenario } from '../scenario.ts'
import type { Worker } from '../worker.ts'

const GONE_MS = 30_000

const workers = new WeakMap<Run, Worker>()

export const breaker: Scenario = {
  name: 'breaker',
  summary: 'SIGKILL of the output broker for 30 s, and a restart; a circuit breaker pauses the pipeline meanwhile',
  bed: 'two-clusters',
  // A bridge has no circuit breaker. One broker alone: what it acknowledged is in its own log.
  allowed: { brokers: [1], file: ['linear'] },
  breaks: ['connection', 'leader'],
  async disturb(run) {
    const { bed, seconds, random } = run.context
    const { delivery } = run.context.setting
    const [broker] = bed.output.brokers
    const worker = run.worker('patient', {
      // With exactly_once a commit may be what fails.
      sink: { flushTimeout: 'PT2S', 'request.timeout.ms': 2000, 'max.block.ms': 3000 },
      file: {
        circuitBreaker: { failureThreshold: 1, timeout: 'PT1S' },
        ...(delivery === 'exactly_once' ? { commitInterval: 'PT1S' } : {}),
      },
    })
    workers.set(run, worker)
    if (delivery === 'exactly_once') await run.firstTransaction()
    worker.start()
    const total = (): Promise<number> => run.totalCommitted()
    const members = async (): Promise<string> =>
      (await run.groups.describeGroup(run.groupId)).members.map(({ memberId }) => memberId).join()
    await run.works()
    const member = await members()
    while (run.goesOn) {
      const before = await total()
      await run.until('more was committed', async () => (await total()) > before)
      await run.wait(random.between(0, 2000))
      // Who has nothing to write does not notice that the brokers are gone: the input comes from the same ones.
      if (delivery === 'exactly_once') await run.justAfterCommit()
      await broker!.kill()
      run.fault('gone')
      await run.wait(Math.min(GONE_MS, (seconds * 1000) / 2))
      await broker!.restart()
    }
    // With exactly_once the group's coordinator was gone as well.
    if (delivery === 'exactly_once') return
    const now = await members()
    if (now !== member) run.problem(`the group was rebalanced: its member was ${member} and is ${now}`)
  },
  verify(run) {
    const { circuitBreaker } = workers.get(run)!.summary ?? {}
    const least = run.faults.gone!
    if (circuitBreaker === undefined || circuitBreaker.openings < least || circuitBreaker.state !== 'closed')
      run.problem(
        `the circuit breaker should have opened ${least} times and be closed: ${JSON.stringify(circuitBreaker)}`,
      )
    return Promise.resolve()
  },
}
