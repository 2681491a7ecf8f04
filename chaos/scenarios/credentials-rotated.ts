import { setPassword } from '../admin.ts'
import type { Run } from '../run.ts'
import type { Scenario } from '../scenario.ts'

/** Who reads and who writes; each password is the name and a number that grows. */
const USERS = ['reader', 'writer'] as const

export const credentialsRotated: Scenario = {
  name: 'credentials-rotated',
  summary: 'passwords change; the run ends and says so, and commits nothing that it has not written',
  bed: 'sasl',
  // Connectors have a security block of their own, which says the same.
  allowed: { brokers: [1], file: ['linear', 'graph', 'library'] },
  breaks: ['process'],
  async disturb(run) {
    const { random, setting } = run.context
    const versions = { reader: 1, writer: 1 }
    const rotate = async (user: (typeof USERS)[number], version: number): Promise<void> => {
      versions[user] = version
      await setPassword(run.cluster, user, `${user}-${version}`)
    }
    for (const user of USERS) await rotate(user, 1)
    const open = (name: string): ReturnType<Run['worker']> =>
      run.worker(name, {
        source: loginOf('reader', versions.reader),
        sink: loginOf('writer', versions.writer),
        // Records are not at fault, so no policy may touch them.
        ...(setting.file === 'linear' ? { file: { errorPolicy: 'skip' } } : {}),
      })
    let turn = 1
    let worker = open(`version-${turn}`)
    worker.start()
    do {
      const before = await run.totalCommitted()
      await run.until('more was committed', async () => (await run.totalCommitted()) > before)
      const user = random.pick(USERS)
      await rotate(user, ++turn)
      run.fault('rotated', user)
      const { code } = await run.endOf(worker, 'the run with the old password has ended')
      // In mid-run the code is that of what could not be written, and the message says why.
      if (code === 0 || !worker.log.includes('refused the credentials'))
        run.problem(`${worker.name} ended with ${code} when its password was refused: ${worker.log}`)
      worker = open(`version-${turn}`)
      worker.start()
    } while (run.goesOn)
  },
}

function loginOf(user: string, version: number): { readonly [property: string]: string } {
  return {
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'SCRAM-SHA-256',
    'sasl.username': user,
    'sasl.password': `${user}-${version}`,
  }
}
