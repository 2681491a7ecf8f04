/** How far the groups of `deadletter replay` have come in a topic of letters. */
import { Cluster } from '../../kafka/cluster/cluster.ts'
import { GroupAdmin } from '../../kafka/admin/groups.ts'
import { clusterOptions } from '../../kafka/properties/settings.ts'
import { kafkaSourceSettings, type KafkaSourceOptions } from '../../sources/kafka/options.ts'
import type { PipelinePlan } from '../../engine/plan.ts'
import { ALL, type Done } from './replay-place.ts'

/** @param code undefined for the group that replays all letters */
export function replayGroup(topic: string, code: string | undefined): string {
  return `millrace-replay-${topic}${code === undefined ? '' : `-${code}`}`
}

/** Committed offsets of all filters, by partition. @throws {BrokerError} */
export async function replayedOffsets({ source, directory }: PipelinePlan): Promise<Map<number, Done>> {
  const options = source.options as unknown as KafkaSourceOptions
  const topic = options.topic[0]!
  const cluster = new Cluster(
    await clusterOptions(kafkaSourceSettings(options).cluster, { directory, clientId: 'millrace' }),
  )
  try {
    const admin = new GroupAdmin(cluster)
    const all = replayGroup(topic, undefined)
    const names = (await admin.listGroups()).map(({ groupId }) => groupId)
    const done = new Map<number, { [filter: string]: number }>()
    for (const name of names) {
      const filter = name.startsWith(`${all}-`) ? name.slice(all.length + 1) : name === all ? ALL : undefined
      if (filter === undefined || !/^[A-Z_]*$/.test(filter)) continue
      for (const { topic: of, partition, offset } of await admin.committedOffsets(name))
        if (of === topic && offset !== undefined) done.set(partition, { ...done.get(partition), [filter]: offset })
    }
    return done
  } finally {
    await cluster.close()
  }
}
