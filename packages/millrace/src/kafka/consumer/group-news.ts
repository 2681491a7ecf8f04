/**
 * What a member of a group has to say while all is well: that joining takes long, and what it was assigned.
 */
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { ConsumerOptions } from './options.ts'

/** How long joining may take before it is mentioned. */
const QUIET_MS = 2000

/** What of the options of a consumer is needed. */
type Told = Pick<ConsumerOptions, 'topics' | 'inform'> & { readonly cluster: Pick<Cluster, 'cachedTopic'> }

export class GroupNews {
  readonly #options: Told
  readonly #groupId: string
  readonly #now: () => number
  #joiningSince: number | undefined
  #timer: NodeJS.Timeout | undefined
  /** Number of partitions that were mentioned last. */
  #mentioned = ''

  /** @param now milliseconds */
  constructor(options: Told, groupId: string, now: () => number = () => performance.now()) {
    this.#options = options
    this.#groupId = groupId
    this.#now = now
  }

  /** Whether the group has not said yet what this member is to read. */
  get isJoining(): boolean {
    return this.#joiningSince !== undefined
  }

  /** What is waited for, as part of a sentence; undefined when that is nothing, or not for long. */
  get problem(): string | undefined {
    if (this.#joiningSince === undefined) return undefined
    const waitedMs = this.#now() - this.#joiningSince
    return waitedMs < QUIET_MS ? undefined : `joining group "${this.#groupId}" for ${Math.round(waitedMs / 1000)} s`
  }

  /** Joining has begun, for the first time or again. */
  joining(): void {
    this.#joiningSince ??= this.#now()
    this.#timer ??= setTimeout(() => {
      const group = this.#groupId
      const text = `Joining group "${group}": waiting for its other members to join, or for their sessions to time out`
      this.#options.inform?.(text, { event: 'group.joining', group })
    }, QUIET_MS).unref()
  }

  /** The group has assigned these partitions. */
  assigned(partitions: readonly TopicPartition[]): void {
    this.ended()
    const { topics, cluster, inform } = this.#options
    const own = partitions.length
    const all = topics.reduce((sum, topic) => sum + (cluster.cachedTopic(topic)?.partitions.length ?? 0), 0)
    const group = this.#groupId
    const mention = `${own} of ${all}`
    if (mention === this.#mentioned) return
    this.#mentioned = mention
    const noun = all === 1 ? 'partition' : 'partitions'
    const text =
      own === 0
        ? `Group "${group}" assigned none of ${all} ${noun} to this member: its other members read them`
        : `Group "${group}" assigned ${mention} ${noun}`
    inform?.(text, { event: 'partitions.assigned', group, partitions: own, of: all })
  }

  /** Joining has ended, in whatever way. */
  ended(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#joiningSince = undefined
  }
}
