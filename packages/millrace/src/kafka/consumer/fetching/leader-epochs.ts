/**
 * Finds out whether what was read of partitions is still in the log after their leader has changed (KIP-320): a broker that became leader
 * without having everything has another log from some offset on.
 */
import { isMillraceError } from '../../../errors/index.ts'
import { guarded } from '../../../resilience/background.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { kafkaErrorName } from '../../protocol/kafka-errors.ts'
import {
  CONSUMER_REPLICA,
  type LeaderEpochAnswer,
  OFFSET_FOR_LEADER_EPOCH,
} from '../../protocol/offset-for-leader-epoch.ts'
import { byTopic } from '../../topic-partition.ts'
import type { PartitionFetch } from './partition-fetch.ts'

export interface LeaderEpochsEvents {
  /** The position is still in the log, or it is unknown. */
  onValid(fetch: PartitionFetch): void
  /** From `endOffset` on the log is another one; undefined when nothing of the epoch is left. */
  onTruncated(fetch: PartitionFetch, endOffset: number | undefined): void
  /** To be tried again when metadata is new. */
  onFailed(fetches: readonly PartitionFetch[], cause: string): void
  /** Something went wrong that must not. */
  onError(error: unknown): void
}

interface Check {
  readonly fetch: PartitionFetch
  readonly topic: string
  readonly partition: number
  readonly leaderEpoch: number
}

export class LeaderEpochs {
  readonly #cluster: Cluster
  readonly #events: LeaderEpochsEvents
  readonly #signal: AbortSignal
  /** What is to be asked of each leader. */
  #checks = new Map<number, Check[]>()

  constructor(cluster: Cluster, events: LeaderEpochsEvents, signal: AbortSignal) {
    this.#cluster = cluster
    this.#events = events
    this.#signal = signal
  }

  /** Has the position of a partition checked with its leader, together with the others of the same turn of the event loop. */
  check(fetch: PartitionFetch, leader: number, leaderEpoch: number): void {
    const onError = (error: unknown): void => this.#events.onError(error)
    if (this.#checks.size === 0) queueMicrotask(guarded(() => this.#send(), onError))
    const { topic, partition } = fetch
    const check = { fetch, topic, partition, leaderEpoch }
    const known = this.#checks.get(leader)
    if (known === undefined) this.#checks.set(leader, [check])
    else known.push(check)
  }

  #send(): void {
    const checks = this.#checks
    this.#checks = new Map()
    for (const [leader, list] of checks) this.#ask(leader, list).catch((error: unknown) => this.#events.onError(error))
  }

  async #ask(leader: number, checks: readonly Check[]): Promise<void> {
    const topics = [...byTopic(checks)].map(([topic, list]) => ({
      topic,
      partitions: list.map(({ partition, leaderEpoch, fetch }) => ({
        partition,
        currentLeaderEpoch: leaderEpoch,
        leaderEpoch: fetch.epoch,
      })),
    }))
    let answer: LeaderEpochAnswer
    try {
      answer = await this.#cluster.request(
        leader,
        OFFSET_FOR_LEADER_EPOCH,
        () => ({ replicaId: CONSUMER_REPLICA, topics }),
        { signal: this.#signal },
      )
    } catch (error) {
      if (this.#signal.aborted) return
      const open = checks.map(({ fetch }) => fetch).filter(({ state }) => state === 'validating')
      if (isMillraceError(error) && error.retriable) this.#events.onFailed(open, error.message)
      // A broker that does not speak of epochs cannot tell; reading goes on as without them.
      else for (const fetch of open) this.#events.onValid(fetch)
      return
    }
    const answers = new Map(
      answer.topics.flatMap(({ topic, partitions }) => partitions.map((each) => [`${topic}/${each.partition}`, each])),
    )
    for (const { fetch, topic, partition, leaderEpoch } of checks) {
      // Removed meanwhile, and perhaps added again.
      if (fetch.state !== 'validating') continue
      const found = answers.get(`${topic}/${partition}`)
      if (found === undefined || found.errorCode !== 0) {
        const name = found === undefined ? 'no answer' : kafkaErrorName(found.errorCode)
        this.#events.onFailed([fetch], `${name} from ${this.#cluster.addressOf(leader)}`)
        continue
      }
      fetch.validatedEpoch = leaderEpoch
      if (found.endOffset < 0) this.#events.onTruncated(fetch, undefined)
      else if (found.endOffset < fetch.position) this.#events.onTruncated(fetch, found.endOffset)
      else this.#events.onValid(fetch)
    }
  }
}
