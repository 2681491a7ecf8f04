/**
 * What an answer to a fetch does to the partitions that were asked for.
 */
import type { MillraceError } from '../../../errors/index.ts'
import { ERROR } from '../../../protocol/error-codes.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { FetchedPartition, FetchResponse } from '../../protocol/fetch.ts'
import { brokerError, isRetriableCode, kafkaErrorName } from '../../protocol/kafka-errors.ts'
import { RecordBatchReader } from '../../protocol/record-batch.ts'
import { CompletedFetch, nextOffsetOf, type ReadOptions } from './completed-fetch.ts'
import { FetchedFrame } from './fetched-frame.ts'
import type { FetchedPartitions } from './fetched-partitions.ts'
import type { FetchSession } from './fetch-session.ts'
import type { PartitionFetch } from './partition-fetch.ts'

const OFFSET_OUT_OF_RANGE = 1
/** Kafka calls it retriable, but what is broken in the log of a leader stays broken; Java's consumer fails as well. */
const CORRUPT_MESSAGE = 2

/** The broker does not know what went wrong; Java's consumer tries again. */

function isWorthRetrying(code: number): boolean {
  return code === ERROR.UNKNOWN_SERVER_ERROR || isRetriableCode(code)
}

/** What the fetcher has to do after an answer. */
export interface AnswerOutcome {
  /** Partitions that the answer is about: they are no longer asked for. */
  readonly answered: readonly PartitionFetch[]
  /** Whether there is something new to take. */
  readonly hasReceived: boolean
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
  readonly #options: ReadOptions
  readonly #reader = new RecordBatchReader()

  constructor(cluster: Cluster, partitions: FetchedPartitions, options: ReadOptions) {
    this.#cluster = cluster
    this.#partitions = partitions
    this.#options = options
  }

  /** Takes what was fetched, and sorts the partitions that failed. */
  apply(response: FetchResponse, session: FetchSession): AnswerOutcome {
    if (response.errorCode !== 0) return this.#failed(response.errorCode, session)
    session.answered(response.sessionId)
    const frame = response.frame && new FetchedFrame(response.frame)
    const answered: PartitionFetch[] = []
    const toRetry: PartitionFetch[] = []
    const lost: PartitionFetch[] = []
    let hasReceived = false
    let error: MillraceError | undefined
    for (const { topic, partitions } of response.topics) {
      for (const fetched of partitions) {
        // What was removed may be asked for again, and the broker would not say this once more.
        if (fetched.errorCode === 0) session.known(topic, fetched.partition)?.logEndsAs(fetched)
        const fetch = session.get(topic, fetched.partition)
        if (fetch === undefined) continue
        session.release(fetch)
        // A partition that was removed meanwhile, and perhaps added again at another offset.
        if (fetch.state === 'removed') continue
        fetch.on('answered')
        answered.push(fetch)
        if (fetched.errorCode !== 0) {
          const means = this.#meaningOf(fetch, fetched)
          if (means === 'lost') lost.push(fetch)
          else if (means === 'retry') toRetry.push(fetch)
          else if (means !== 'leader') error ??= means
          continue
        }
        const received = this.#receive(fetch, fetched, frame)
        if (received === 'nothing whole') toRetry.push(fetch)
        else fetch.failures = 0
        hasReceived ||= received === 'records'
      }
    }
    frame?.letGo()
    if (session.isFull) {
      // A broker answers for every partition that was named: to ask again at once would only get the same answer.
      for (const fetch of session.releaseAll()) {
        if (fetch.on('answered') === 'removed') continue
        answered.push(fetch)
        this.#note(fetch, 'without it')
        toRetry.push(fetch)
      }
    }
    return { answered, hasReceived, toRetry, lost, error }
  }

  /** An answer with an error for all partitions. */
  #failed(errorCode: number, session: FetchSession): AnswerOutcome {
    const answered = session.releaseAll()
    for (const fetch of answered) fetch.on('answered')
    const nothing = { answered, hasReceived: false, toRetry: [], lost: [], error: undefined }
    if (session.reset(errorCode)) return nothing
    if (!isWorthRetrying(errorCode)) return { ...nothing, error: brokerError(errorCode, 'Cannot fetch') }
    for (const fetch of answered) this.#note(fetch, kafkaErrorName(errorCode))
    return { ...nothing, toRetry: answered }
  }

  /**
   * @returns what there is to take. `nothing whole`: a broker sends at least one whole record batch, whatever its size, so asking again
   * at once would bring the same bytes
   */
  #receive(
    fetch: PartitionFetch,
    fetched: FetchedPartition,
    frame: FetchedFrame | undefined,
  ): 'records' | 'nothing' | 'nothing whole' {
    if (fetched.preferredReadReplica >= 0) {
      fetch.replica = fetched.preferredReadReplica
      fetch.replicaUntil = performance.now() + this.#cluster.metadataMaxAgeMs
    }
    const { topic, partition, position } = fetch
    const { records, aborted } = fetched
    if (records === undefined || fetch.asked !== position) return 'nothing'
    let next: ReturnType<typeof nextOffsetOf>
    try {
      next = nextOffsetOf(records, this.#reader, topic, partition)
    } catch {
      // What was fetched before of this partition and others is read first; then `take` throws.
      fetch.isDamaged = true
    }
    if (!fetch.isDamaged && (next === undefined || next.offset <= position)) {
      this.#note(fetch, `${records.length} bytes that hold no whole record batch at offset ${position} or later`)
      return 'nothing whole'
    }
    const completed = new CompletedFetch(records, topic, partition, position, aborted, this.#options, frame)
    completed.epochBefore = fetch.epoch
    fetch.position = next?.offset ?? position
    fetch.epoch = next?.leaderEpoch ?? fetch.epoch
    this.#partitions.received(fetch, completed)
    return 'records'
  }

  #note(fetch: PartitionFetch, answer: string): void {
    fetch.problem = `${this.#cluster.addressOf(fetch.broker)} answers ${answer}`
  }

  /** What an error code means: `leader` for one that says nothing of what the leader has at the present position. */
  #meaningOf(fetch: PartitionFetch, fetched: FetchedPartition): 'lost' | 'retry' | 'leader' | MillraceError {
    const { topic, partition, replica } = fetch
    const { errorCode, leader } = fetched
    fetch.replica = -1
    if (errorCode === OFFSET_OUT_OF_RANGE) return replica >= 0 || fetch.asked !== fetch.position ? 'leader' : 'lost'
    if (leader !== undefined) this.#cluster.updateLeader(topic, partition, leader.id, leader.epoch)
    this.#note(fetch, kafkaErrorName(errorCode))
    if (isWorthRetrying(errorCode) && errorCode !== CORRUPT_MESSAGE) return 'retry'
    const why = errorCode === CORRUPT_MESSAGE ? ' as the broker found it corrupt' : ''
    return brokerError(errorCode, `Cannot fetch partition ${partition} of topic "${topic}"${why}`, {
      grant: `READ on topic "${topic}"`,
      topic,
      partition,
      retriable: false,
    })
  }
}
