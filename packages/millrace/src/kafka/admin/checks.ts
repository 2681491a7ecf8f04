/**
 * What must hold before topics can be read or written, one check after the other, and what there is to read. For
 * `millrace check` and `millrace discover`: nothing is joined, read or written.
 */
import { counted } from '../../options/units.ts'
import type { Check, DiscoveredStream } from '../../contracts/source.ts'
import { BrokerError } from '../../errors/index.ts'
import { GroupAdmin } from './groups.ts'
import { requireGroup, requireTopics, type Operation } from './permissions.ts'
import { TopicAdmin } from './topics.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { listOffsets } from '../cluster/log-offsets.ts'

/** Tries each address once: who checks is told at once what a pipeline would wait for. */
export function connectionCheck(cluster: () => Promise<Cluster>): Check {
  return {
    name: 'connection',
    async run(signal) {
      const connected = await cluster()
      await connected.connect(signal, 0)
      return `cluster ${connected.clusterId ?? 'without id'} with ${counted(connected.brokers.length, 'broker')}`
    },
  }
}

/** @param canBeMade whether topics that are not there are made when a run begins @param operation what is to be permitted */
export function topicCheck(
  cluster: () => Promise<Cluster>,
  topics: readonly string[],
  canBeMade: boolean,
  operation: Operation,
): Check {
  const look = async (topic: string, signal: AbortSignal): Promise<string> => {
    try {
      const [{ partitions, records }] = (await describeStreams(await cluster(), [topic], signal)) as [DiscoveredStream]
      await requireTopics(await cluster(), [topic], operation, signal)
      return `"${topic}" has ${counted(partitions, 'partition')}, ${upTo(records ?? 0)}`
    } catch (error) {
      if (canBeMade && error instanceof BrokerError && error.code === 'TOPIC_NOT_FOUND')
        return `"${topic}" does not exist yet and will be created`
      throw error
    }
  }
  return {
    name: 'topic',
    run: async (signal) => (await Promise.all(topics.map((topic) => look(topic, signal)))).join('; '),
  }
}

/** Asks the coordinator, which refuses a principal that may not use the group. */
export function groupCheck(cluster: () => Promise<Cluster>, groupId: string, topics: readonly string[]): Check {
  return {
    name: 'group',
    async run(signal) {
      const connected = await cluster()
      await requireGroup(connected, groupId, signal)
      const committed = await new GroupAdmin(connected).committedOffsets(groupId, undefined, signal)
      const known = committed.flatMap(({ topic, partition, offset }) =>
        offset === undefined || !topics.includes(topic) ? [] : [{ topic, partition, offset }],
      )
      if (known.length === 0) return `"${groupId}" has no committed offsets yet`
      const ends = await listOffsets(
        connected,
        known.map(({ topic, partition }) => ({ topic, partition, at: 'latest' })),
        { signal },
      )
      const lag = known.reduce((sum, { offset }, i) => sum + Math.max(0, ends[i]!.offset - offset), 0)
      return `"${groupId}" has committed offsets for ${counted(known.length, 'partition')}, ${upTo(lag)} behind the end`
    },
  }
}

/** Topics with their partitions and records; all but Kafka's own without names. */
export async function describeStreams(
  cluster: Cluster,
  names: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<DiscoveredStream[]> {
  const admin = new TopicAdmin(cluster)
  const wanted = names ?? (await admin.listTopics(signal)).filter((name) => !name.startsWith('__'))
  if (wanted.length === 0) return []
  const topics = await admin.describeTopics(wanted, signal)
  const partitions = topics.flatMap(({ name, partitions: all }) =>
    all.map(({ partition }) => ({ topic: name, partition })),
  )
  const [first, end] = await Promise.all(
    (['earliest', 'latest'] as const).map((at) =>
      listOffsets(
        cluster,
        partitions.map((each) => ({ ...each, at })),
        { signal },
      ),
    ),
  )
  const records = new Map<string, number>()
  partitions.forEach(({ topic }, i) =>
    records.set(topic, (records.get(topic) ?? 0) + end![i]!.offset - first![i]!.offset),
  )
  return topics.map(({ name, partitions: all }) => ({
    name,
    partitions: all.length,
    records: records.get(name) ?? 0,
    options: { topic: [name] },
  }))
}

/** A number of offsets: compaction, and the markers of transactions, leave fewer records. */
function upTo(offsets: number): string {
  return offsets === 0 ? 'no records' : `up to ${counted(offsets, 'record')}`
}
