/**
 * When a bounded run has read everything, and what to say when it has not.
 *
 * That every partition is at its end is not enough: a group may have more for this member, and records may lie behind a
 * transaction that is still open.
 */
import { counted } from '../../options/units.ts'
import { isMillraceError } from '../../errors/index.ts'
import { GroupAdmin } from '../admin/groups.ts'
import { listOffsets } from '../cluster/log-offsets.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { GroupSession } from '../group/session.ts'
import { keyOf, type TopicPartition } from '../topic-partition.ts'
import type { ConsumedPartition } from './partitions/consumed-partition.ts'
import type { ConsumedPartitions } from './partitions/consumed-partitions.ts'
import type { Warn } from './options.ts'

/** How long a run waits for what stands in its way before it says so. */
const QUIET_MS = 5000
const REMINDER_MS = 60_000
/** How long the last records stay away before the broker is asked where the log ends now, and how long it has for the answer. */
const SHORTER_MS = 1000
/** Time between looks at what stands in the way. */
const LOOK_MS = 250

export interface RunEndOptions {
  readonly cluster: Cluster
  readonly topics: readonly string[]
  /** Of the consumer in its group; undefined when it is in none. */
  readonly member: Pick<GroupSession, 'groupId' | 'memberId'> | undefined
  readonly warn: Warn
}

export class RunEnd {
  readonly #options: RunEndOptions
  readonly #partitions: ConsumedPartitions
  readonly #unassigned: Patience
  /** Since when each partition has been behind a transaction, and at which offset. */
  #blocked: ReadonlyMap<ConsumedPartition, { readonly since: number; readonly at: number }> = new Map()
  /** When to say next that partitions are behind transactions. */
  #sayAt = 0
  /** When to ask next whether logs have become shorter. */
  #askAt = 0
  /** Whether partitions have gone, and the group has not said yet what comes instead. */
  #isRebalancing = false
  /** Whether the next look is on its way: without this, each one would begin a series of its own. */
  #willLook = false
  /** Counts what the group has changed. */
  #changes = 0

  constructor(partitions: ConsumedPartitions, options: RunEndOptions) {
    this.#partitions = partitions
    this.#options = options
    this.#unassigned = new Patience(options.cluster.apiTimeoutMs)
  }

  /** Partitions have gone, and the group is about to say what comes instead. */
  changing(): void {
    this.#isRebalancing = true
    this.#changes++
  }

  /** The group has said what this member reads. */
  settled(): void {
    this.#isRebalancing = false
    this.#changes++
  }

  /** Whether the run has read everything. @param lookAgain called when it is worth asking again, if it has not @param signal ends what is asked of brokers */
  async isOver(lookAgain: () => void, signal: AbortSignal): Promise<boolean> {
    if (this.#isRebalancing) return false
    const changes = this.#changes
    if (this.#partitions.areAtEnd && (await this.#isAssigned(signal))) {
      // Partitions may have come or gone in between.
      return changes === this.#changes && this.#partitions.areAtEnd
    }
    // What the group does meanwhile keeps nothing waiting.
    if (!this.#partitions.areAtEnd) this.#unassigned.reset()
    this.#lookForTransactions()
    await this.#lookForShorterLogs(signal)
    if (this.#willLook) return false
    this.#willLook = true
    const look = (): void => {
      this.#willLook = false
      lookAgain()
    }
    setTimeout(look, LOOK_MS).unref()
    return false
  }

  /**
   * Whether the group has nothing more for this member. Only when its members have all partitions between them: the first
   * assignment may be empty (KIP-848), or leave out what another member has not given back yet (KIP-429).
   */
  async #isAssigned(signal: AbortSignal): Promise<boolean> {
    const { member, cluster, warn } = this.#options
    if (member === undefined) return true
    const { groupId } = member
    const owned = this.#partitions.all
    const missing = this.#missing(owned)
    if (missing.length === 0) return true
    const group = await new GroupAdmin(cluster).describeGroup(groupId, signal).catch((error: unknown) => {
      if (isMillraceError(error)) return undefined
      throw error
    })
    if (signal.aborted) return false
    // What the group has assigned to this member and is not here yet is on its way: the coordinator knows it first.
    const elsewhere = group?.members.filter(({ memberId }) => memberId !== member.memberId) ?? []
    const isSettled =
      group !== undefined &&
      group.state?.toUpperCase() === 'STABLE' &&
      this.#missing([...owned, ...elsewhere.flatMap(({ assignment }) => assignment)]).length === 0
    const where = `${missing.length} of the partitions are not assigned to this member of group "${groupId}"`
    if (isSettled) {
      if (owned.length === 0)
        warn(
          `Nothing was read as ${missing.length === 1 ? 'the partition is not' : `none of the ${missing.length} partitions is`} assigned to this member of group "${groupId}": its ${counted(group.members.length, 'member')} ${group.members.length === 1 ? 'has' : 'have'} all of them`,
          { groupId, members: group.members.length, partitions: missing.length },
        )
      return true
    }
    const wait = this.#unassigned.check()
    if (wait === 'say')
      warn(`Waiting for the group to settle: ${where}, and no member has all of them yet`, { groupId })
    else if (wait === 'over') warn(`The run ends although ${where}, and the group did not settle`, { groupId })
    return wait === 'over'
  }

  /** Looks for transactions that stand in the way; gives up on a partition that has been at the same offset for `default.api.timeout.ms`. */
  #lookForTransactions(): void {
    const now = performance.now()
    const before = this.#blocked
    const blocked = new Map(
      this.#partitions.behindTransactions.map((consumed) => {
        const known = before.get(consumed)
        const { delivered } = consumed
        return [consumed, known?.at === delivered ? known : { since: now, at: delivered }]
      }),
    )
    this.#blocked = blocked
    const waitingFor = (ms: number) => [...blocked.keys()].filter((each) => now - blocked.get(each)!.since >= ms)
    const { warn, cluster } = this.#options
    const late = waitingFor(cluster.apiTimeoutMs)
    if (late.length > 0) {
      const { what, how, facts } = behindTransactions(late)
      warn(`The run ends without them. ${what}: ${how}`, facts)
      for (const consumed of late) this.#partitions.giveUp(consumed)
    }
    const waiting = waitingFor(QUIET_MS).filter((each) => !late.includes(each))
    if (waiting.length === 0) this.#sayAt = 0
    else if (now >= this.#sayAt) {
      this.#sayAt = now + REMINDER_MS
      const { what, how, facts } = behindTransactions(waiting)
      warn(`${what}. The run waits for its end: ${how}`, facts)
    }
  }

  /**
   * A log ends before the end of the run when its last records were lost, in an unclean election for instance, or its topic was
   * created again: then nothing more will come.
   */
  async #lookForShorterLogs(signal: AbortSignal): Promise<void> {
    const now = performance.now()
    const waiting = [...this.#blocked]
      .filter(([, { since }]) => now - since >= SHORTER_MS)
      .map(([consumed]) => consumed)
    if (waiting.length === 0 || now < this.#askAt) return
    this.#askAt = now + QUIET_MS
    const { cluster, warn } = this.#options
    const ends = await listOffsets(
      cluster,
      waiting.map(({ topic, partition }) => ({ topic, partition, at: 'latest' })),
      { signal: AbortSignal.any([signal, AbortSignal.timeout(SHORTER_MS)]) },
    ).catch((error: unknown) => {
      // Fetching finds out what it means.
      if (isMillraceError(error)) return []
      throw error
    })
    for (const [i, { topic, partition, offset }] of ends.entries()) {
      const consumed = waiting[i]!
      const { end, delivered } = consumed
      if (consumed.state !== 'reading' || end === undefined || offset >= end) continue
      warn(
        `Partition ${partition} of topic "${topic}" ends at offset ${offset} now, and ended at ${end} when the run began: its last records were lost, or the topic was recreated. The run ends where the partition does`,
        { event: 'partitions.shorter', topic, partition, offset, end },
      )
      consumed.end = offset
      if (delivered >= offset) this.#partitions.giveUp(consumed)
    }
  }

  #missing(assigned: readonly TopicPartition[]): TopicPartition[] {
    const { cluster, topics } = this.#options
    const known = new Set(assigned.map(({ topic, partition }) => keyOf(topic, partition)))
    return topics.flatMap((topic) =>
      (cluster.cachedTopic(topic)?.partitions ?? [])
        .filter(({ partition }) => !known.has(keyOf(topic, partition)))
        .map(({ partition }) => ({ topic, partition })),
    )
  }
}

/** What there is to say of partitions that are behind open transactions. */
function behindTransactions(blocked: readonly ConsumedPartition[]) {
  const { topic, partition, delivered } = blocked[0]!
  const records = blocked.reduce((sum, each) => sum + each.end! - each.delivered, 0)
  const isOne = blocked.length === 1
  return {
    what: `Up to ${counted(records, 'record')} of ${isOne ? 'one partition' : `${blocked.length} partitions`} are behind an open transaction, at offset ${delivered} of partition ${partition} of topic "${topic}"${isOne ? '' : ' for instance'}`,
    how: `kafka-transactions.sh --describe-producers --topic ${topic} --partition ${partition} shows it; find-hanging and abort end one that hangs`,
    facts: { topic, partition, offset: delivered, records },
  }
}

/** How long something has stood in the way, and whether it is time to say so. */
class Patience {
  readonly #limitMs: number
  #since: number | undefined
  #sayAt = 0

  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  check(): 'quiet' | 'say' | 'over' {
    const now = performance.now()
    if (this.#since === undefined) {
      this.#since = now
      this.#sayAt = now + QUIET_MS
    }
    if (now - this.#since >= this.#limitMs) return 'over'
    if (now < this.#sayAt) return 'quiet'
    this.#sayAt = now + REMINDER_MS
    return 'say'
  }

  reset(): void {
    this.#since = undefined
  }
}
