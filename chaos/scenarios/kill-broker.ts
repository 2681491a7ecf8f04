import type { KafkaBroker } from '../../test-bed/kafka.ts'
import type { Run } from '../run.ts'
import type { Scenario } from '../scenario.ts'

export const killBroker: Scenario = {
  name: 'kill-broker',
  summary: 'SIGKILL and restart of one of three brokers, of each in turn, of the coordinators',
  bed: 'own',
  allowed: { brokers: [3] },
  breaks: ['connection', 'leader'],
  async disturb(run) {
    const { random, bed } = run.context
    for (const name of ['one', 'two']) run.worker(name).start()
    await run.works()
    for (let turn = 0; run.goesOn; turn++) {
      const [name, broker] = await victim(run, turn % (bed.brokers.length + 2))
      await broker.kill()
      run.fault(name, `broker ${broker.id}`)
      await run.wait(random.between(500, 5000))
      await broker.restart()
      // With two brokers gone nothing can be written, which is no fault of ours.
      await run.until('all replicas are in sync', () => isInSync(run))
    }
  },
}

/** The coordinators first, then each broker in turn. */
async function victim(run: Run, turn: number): Promise<[name: string, broker: KafkaBroker]> {
  const { brokers } = run.context.bed
  const coordinated = (['group', 'transaction'] as const)[turn]
  if (coordinated === undefined) return ['kill-leader', brokers[turn - 2]!]
  let id: number | undefined
  await run.until(`the ${coordinated} has a coordinator`, async () => {
    run.cluster.forgetCoordinator(coordinated, run.groupId)
    id = await run.cluster.coordinator(coordinated, run.groupId).catch(() => undefined)
    return id !== undefined
  })
  return [`kill-${coordinated}-coordinator`, brokers.find((broker) => broker.id === id)!]
}

async function isInSync(run: Run): Promise<boolean> {
  const topics = await run.admin.describeTopics([run.input, run.output])
  return topics.every(({ partitions }) =>
    partitions.every(({ inSyncReplicas }) => inSyncReplicas.length === run.context.bed.brokers.length),
  )
}
