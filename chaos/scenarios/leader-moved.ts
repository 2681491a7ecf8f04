import { reassign } from '../admin.ts'
import type { Scenario } from '../scenario.ts'

export const leaderMoved: Scenario = {
  name: 'leader-moved',
  summary: 'the leaders of both topics move to other brokers, and brokers lose their replicas and get them back',
  bed: 'own',
  allowed: { brokers: [3] },
  breaks: ['leader'],
  // The first replica becomes the leader within a second, not within five minutes.
  brokerProperties: { 'leader.imbalance.check.interval.seconds': 1, 'leader.imbalance.per.broker.percentage': 0 },
  async disturb(run) {
    const { random, bed, setting } = run.context
    const ids = bed.brokers.map(({ id }) => id)
    for (const name of ['one', 'two']) run.worker(name).start()
    await run.works()
    while (run.goesOn) {
      const topic = random.pick([run.input, run.output])
      // Two of three: a broker that led may have to delete what it has.
      const size = random.pick([2, 3])
      const wanted = Array.from({ length: setting.partitions }, () => random.shuffle(ids).slice(0, size))
      await reassign(run.cluster, topic, wanted)
      run.fault(size === 2 ? 'replicas-moved' : 'leaders-moved', topic === run.input ? 'of the input' : 'of the output')
      await run.until('the first replicas lead', async () => {
        const [{ partitions } = { partitions: [] }] = await run.admin.describeTopics([topic])
        return partitions.every(({ leader }, i) => leader === wanted[i]![0])
      })
      await run.wait(random.between(0, 2000))
    }
  },
}
