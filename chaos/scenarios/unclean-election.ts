import { reassign } from '../admin.ts'
import { Bursts } from '../bursts.ts'
import type { Run } from '../run.ts'
import type { Scenario } from '../scenario.ts'

const BURST = 600

const bursts = new WeakMap<Run, Bursts>()

export const uncleanElection: Scenario = {
  name: 'unclean-election',
  summary: 'a broker that missed the end of the input becomes its leader; what the log has then comes out',
  bed: 'own',
  // Files of connectors cannot say where to go on then.
  allowed: { brokers: [3], file: ['linear', 'graph', 'library'] },
  breaks: ['leader'],
  brokerProperties: { 'leader.imbalance.check.interval.seconds': 1, 'leader.imbalance.per.broker.percentage': 0 },
  input: (run) => {
    const input = new Bursts(run)
    bursts.set(run, input)
    return input
  },
  async disturb(run) {
    const { random, bed, setting } = run.context
    // The log gets shorter, and with it what can be committed.
    run.mayGoBack = true
    const input = bursts.get(run)!
    const [usual, late] = bed.brokers
    const ends = async (): Promise<number> =>
      (await run.ends('read_uncommitted')).reduce((sum, { offset }) => sum + offset, 0)
    const caughtUp = async (): Promise<boolean> => (await run.totalCommitted()) >= (await ends())
    // Two replicas only: the third broker keeps the controllers' quorum, and all other topics.
    await reassign(run.cluster, run.input, Array(setting.partitions).fill([usual!.id, late!.id]))
    const configs = { 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'true' }
    await run.admin.alterTopicConfigs(run.input, configs)
    // By default a run stops where the log that it has read is not there any more.
    const worker = run.worker('one', { source: { offsetOutOfRange: 'reset' } })
    worker.start()
    await run.reads()
    do {
      await run.until('both replicas are in sync and the usual one leads', () => isLed(run, usual!.id, 2))
      await input.write(BURST)
      await run.until('the burst that stays is committed', caughtUp)
      await late!.kill()
      await run.until('the leader is alone', () => isLed(run, usual!.id, 1))
      await input.write(random.between(1, BURST))
      await run.until('the burst that will be lost is committed', caughtUp)
      const isRunning = random.chance(0.5)
      if (!isRunning) await worker.stop()
      await usual!.kill()
      await late!.restart()
      run.fault(isRunning ? 'unclean-while-running' : 'unclean-while-stopped')
      await run.until('the late one leads', () => isLed(run, late!.id, 1))
      // As many records as were lost, fewer or more: what is committed may be within the log again.
      await input.write(random.between(1, 2 * BURST))
      if (!worker.isRunning) worker.start()
      await usual!.restart()
    } while (run.goesOn)
    await run.until('both replicas are in sync', () => isLed(run, usual!.id, 2))
  },
}

async function isLed(run: Run, id: number, replicas: number): Promise<boolean> {
  const [topic] = await run.admin.describeTopics([run.input])
  return topic!.partitions.every(({ leader, inSyncReplicas }) => leader === id && inSyncReplicas.length === replicas)
}
