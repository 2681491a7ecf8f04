import type { Run, WorkerOptions } from '../run.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import type { Worker } from '../worker.ts'

/** How many members there are, second by second. */
const SIZES = [1, 4, 2, 4]
const STEP_MS = 1000

interface Membership {
  readonly name: string
  readonly options: (member: number) => WorkerOptions['source']
  /** Whether members may be killed: with KIP-848 the broker takes 45 s to notice. */
  readonly kills: boolean
}

/** In this order a group may change from one to the next as soon as it is empty; static members leave none. */
const MEMBERSHIPS: readonly Membership[] = [
  { name: 'eager', kills: true, options: () => ({ 'partition.assignment.strategy': 'range' }) },
  { name: 'cooperative', kills: true, options: () => ({ 'partition.assignment.strategy': 'cooperative-sticky' }) },
  {
    name: 'kip-848',
    kills: false,
    options: () => ({
      'group.protocol': 'consumer',
      'session.timeout.ms': undefined,
      'heartbeat.interval.ms': undefined,
    }),
  },
  { name: 'static', kills: true, options: (member) => ({ 'group.instance.id': `member-${member}` }) },
]

export const storm: Scenario = {
  name: 'storm',
  summary: '1, 4, 2, 4 members joining and leaving every second, with each kind of membership',
  bed: 'any',
  breaks: ['process'],
  async disturb(run) {
    const { seconds, random, setting } = run.context
    run.worker('first').start()
    await run.reads()
    await run.workers[0]!.stop()
    // Millrace refuses KIP-848 in a bridge: it takes the session timeout that connectors have by default for one that the file sets.
    const memberships = MEMBERSHIPS.filter(({ name }) => setting.file !== 'bridge' || name !== 'kip-848')
    for (const [i, { name, options, kills }] of memberships.entries()) {
      const until = performance.now() + (seconds * 1000) / memberships.length
      const workers = [1, 2, 3, 4].map((member) => run.worker(`${name}-${member}`, { source: options(member) ?? {} }))
      for (let step = 0; performance.now() < until; step++) {
        await resize(workers, SIZES[step % SIZES.length]!, kills ? random : undefined)
        run.fault(name, `${workers.filter(({ isRunning }) => isRunning).length} members`)
        await run.sleep(STEP_MS)
      }
      if (i + 1 < memberships.length) await empty(run, workers)
      else if (!workers[0]!.isRunning) workers[0]!.start()
    }
  },
}

/** @param random who leaves with a farewell and who does not; without it everybody does */
async function resize(workers: readonly Worker[], size: number, random: Random | undefined): Promise<void> {
  await Promise.all(
    workers.map(async (worker, i) => {
      if (i >= size) await (random?.chance(0.3) === true ? worker.kill() : worker.stop())
      else if (!worker.isRunning) worker.start()
    }),
  )
}

async function empty(run: Run, workers: readonly Worker[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.stop()))
  await run.until('the group is empty', async () => (await run.groups.describeGroup(run.groupId)).members.length === 0)
}
