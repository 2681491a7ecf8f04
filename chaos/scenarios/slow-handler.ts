import { Generator } from '../generator.ts'
import type { Scenario } from '../scenario.ts'
import type { WorkerOptions } from '../run.ts'

/** Work that a stage or a handler has with each record, in one go. */
const WORK_MS = 15
/** Work that waits at the beginning, in sessions. */
const SESSIONS = 1.5
/** Thereafter, so that there is something to do all the time. */
const RATE = 20

/** Takes about as long; a function in JavaScript would be stopped after a second and a millisecond for each record. */
const SQUARES = { $map: { input: { $range: [0, 6000] }, in: { $multiply: ['$$this', '$$this'] } } }
const FILE = { stages: [{ $set: { checked: { $gt: [{ $sum: SQUARES }, 0] } } }] }

export const slowHandler: Scenario = {
  name: 'slow-handler',
  summary: 'a stage or a handler that keeps the processor busy for longer than the session: no rebalance',
  bed: 'any',
  allowed: { file: ['linear', 'library'], stages: ['one'] },
  breaks: [],
  rate: RATE,
  input: (run) => {
    const { bed, rate } = run.context
    return new Generator({
      bootstrapServers: bed.bootstrapServers,
      topic: run.input,
      rate,
      ready: run.reads(),
      backlog: Math.ceil((SESSIONS * run.sessionMs) / WORK_MS),
    })
  },
  async disturb(run) {
    const { setting } = run.context
    const options: WorkerOptions = setting.file === 'linear' ? { file: FILE } : { program: { workMs: WORK_MS } }
    run.worker('busy', options).start()
    const membership = async (): Promise<string> => {
      const { state, members } = await run.groups.describeGroup(run.groupId)
      return `${state} ${members.map(({ memberId }) => memberId).join()}`
    }
    await run.until('the group is stable', async () => (await membership()).startsWith('Stable'))
    const before = await membership()
    run.fault('busy')
    const started = performance.now()
    // The work of the backlog and a session more, whatever the run was given.
    while (run.goesOn || performance.now() - started < (SESSIONS + 1) * run.sessionMs) {
      const now = await membership()
      if (now !== before) return run.problem(`the group was rebalanced: it was ${before} and is ${now}`)
      await run.sleep(500)
    }
  },
}
