/**
 * What an answer to a fetch does to the partitions that were asked for.
 */
import { isMillraceError, type MillraceError, UnexpectedError } from '../../errors/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { FetchedPartition, FetchResponse } from '../protocol/fetch.ts'
import { brokerError, isRetriableCode } from '../protocol/kafka-errors.ts'
import { RecordBatchReader } from '../protocol/record-batch.ts'
import { CompletedFetch, nextOffsetOf } from './completed-fetch.ts'
import type { FetchedPartitions, PartitionFetch } from './fetched-partitions.ts'

const OFFSET_OUT_OF_RANGE = 1
/** Kafka calls it retriable, but what is broken in the log of a leader stays broken; Java's consumer fails as well. */
const CORRUPT_MESSAGE = 2

/** What the fetcher has to do after an answer. */
export interface AnswerOutcome {
  /** Whether there is something new to take. */
  readonly hasReceived: boolean
  /** Whether any partition could not be read. */
  readonly hasFailed: boolean
  /** Partitions to ask for again when metadata has been refreshed. */
  readonly toRetry: readonly PartitionFetch[]
  /** Partitions whose position is not in the log. */
  readonly lost: readonly PartitionFetch[]
  /** What ends the fetcher. */
  readonly error: MillraceError | undefined
}

export class FetchAnswers {
  readonly #cluster: Cluster
  readonly #partitions: FetchedPartitions
  readonly #checkCrcs: boolean
  readonly #reader = new RecordBatchReader()

  /** @param checkCrcs `check.crcs` */
  constructor(cluster: Cluster, partitions: FetchedPartitions, checkCrcs: boolean) {
    this.#cluster = cluster
    this.#partitions = partitions
    this.#checkCrcs = checkCrcs
  }

  /** Takes what was fetched, and sorts the partitions that failed. */
  apply(response: FetchResponse, asked: readonly PartitionFetch[]): AnswerOutcome {
    for (const fetch of asked) fetch.on('answered')
    const { errorCode } = response
    if (errorCode !== 0)
      return isRetriableCode(errorCode)
        ? { hasReceived: false, hasFailed: true, toRetry: asked, lost: [], error: undefined }
        : { hasReceived: false, hasFailed: true, toRetry: [], lost: [], error: brokerError(errorCode, 'Cannot fetch') }

    const toRetry: PartitionFetch[] = []
    const lost: PartitionFetch[] = []
    let hasReceived = false
    let hasFailed = false
    let error: MillraceError | undefined
    for (const { topic, partitions } of response.topics) {
      for (const fetched of partitions) {
        const fetch = asked.find((each) => each.partition === fetched.partition && this.#isNamed(each, topic))
        // A partition that was removed meanwhile, and perhaps added again at another offset.
        if (fetch === undefined || fetch.state === 'removed') continue
        if (fetched.errorCode === 0) {
          try {
            hasReceived = this.#receive(fetch, fetched) || hasReceived
          } catch (thrown) {
            error ??= isMillraceError(thrown) ? thrown : new UnexpectedError('Fetching failed', { cause: thrown })
          }
          continue
        }
        hasFailed = true
        const means = this.#meaningOf(fetch, fetched)
        if (means === 'lost') lost.push(fetch)
        else if (means === 'retry') toRetry.push(fetch)
        else if (means !== 'leader') error ??= means
      }
    }
    return { hasReceived, hasFailed, toRetry, lost, error }
  }

  /** Whether an answer names this topic so: by its name, or from version 13 on by its id. */
  #isNamed({ topic }: PartitionFetch, name: string): boolean {
    return topic === name || this.#cluster.cachedTopic(topic)?.id === name
  }

  /** @returns whether there is something to take @throws {CorruptRecordError} */
  #receive(fetch: PartitionFetch, fetched: FetchedPartition): boolean {
    fetch.highWatermark = fetched.highWatermark
    fetch.lastStableOffset = fetched.lastStableOffset
    if (fetched.preferredReadReplica >= 0) fetch.replica = fetched.preferredReadReplica
    const { topic, partition, position } = fetch
    const { records, aborted } = fetched
    if (records === undefined) return false
    const next = nextOffsetOf(records, this.#reader, topic, partition)
    if (next === undefined) return false
    const completed = new CompletedFetch(records, topic, partition, position, aborted, this.#checkCrcs)
    fetch.position = Math.max(position, next)
    this.#partitions.received(fetch, completed)
    return true
  }

  /** What an error code means: `leader` for one of a replica, which the leader may answer otherwise. */
  #meaningOf(fetch: PartitionFetch, fetched: FetchedPartition): 'lost' | 'retry' | 'leader' | MillraceError {
    const { topic, partition, replica } = fetch
    const { errorCode, leader } = fetched
    fetch.replica = -1
    if (errorCode === OFFSET_OUT_OF_RANGE) return replica >= 0 ? 'leader' : 'lost'
    if (leader !== undefined) this.#cluster.updateLeader(topic, partition, leader.id, leader.epoch)
    if (isRetriableCode(errorCode) && errorCode !== CORRUPT_MESSAGE) return 'retry'
    const why = errorCode === CORRUPT_MESSAGE ? ' as the broker found it corrupt' : ''
    return brokerError(errorCode, `Cannot fetch partition ${partition} of topic "${topic}"${why}`, {
      topic,
      partition,
      retriable: false,
    })
  }
}
