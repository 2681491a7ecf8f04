/**
 * A partition as the fetcher sees it: its position, what it waits for, and what was fetched of it and not yet taken.
 */
import { UnexpectedError } from '../../../errors/index.ts'
import type { CompletedFetch } from './completed-fetch.ts'
import { FETCH_TRANSITIONS, type FetchEvent, type FetchState } from './fetch-states.ts'

export class PartitionFetch {
  readonly topic: string
  readonly partition: number
  /** The next offset to ask for. */
  position: number
  /** Position of the last request that named it; an answer to another position does not count. */
  asked = -1
  isPaused = false
  /** What was fetched and not yet taken. */
  readonly completed: CompletedFetch[] = []
  /** Bytes of that. */
  bufferedBytes = 0
  /** Whether it is in the line of those that have something to take. */
  isServed = false
  /** -1 before the first answer. */
  highWatermark = -1
  lastStableOffset = -1
  /** Broker that was named as the closest replica; -1 for the leader. */
  replica = -1
  /** Until when it may be read from. */
  replicaUntil = 0
  /** Epoch of the leader that wrote the record before the position; -1 when it is not known. */
  epoch: number
  /** Epoch of the leader in whose log the position is known to be. */
  validatedEpoch: number
  /** Where the logs of an earlier leader and of this one part, when the position lies behind; undefined when nothing is known. */
  divergesAt: number | undefined
  /** Why it could not be read, for people. */
  problem = ''
  /** Broker it is read from; -1 while none is known. */
  broker = -1
  /** Whether the next request to that broker names it. */
  isListed = false
  /** Whether what was fetched last cannot be read, so that nothing more is asked for. */
  isDamaged = false
  /** Requests in a row that brought nothing because of a failure. */
  failures = 0
  #state: FetchState = 'idle'
  #topicId: string | undefined

  constructor(topic: string, partition: number, position: number, epoch: number, topicId?: string) {
    this.#topicId = topicId
    this.topic = topic
    this.partition = partition
    this.position = position
    this.epoch = this.validatedEpoch = epoch
  }

  get topicId(): string | undefined {
    return this.#topicId
  }

  get state(): FetchState {
    return this.#state
  }

  /** @returns the state afterwards */
  on(event: FetchEvent): FetchState {
    const next = FETCH_TRANSITIONS[this.#state][event]
    if (next === 'refused')
      throw new UnexpectedError(
        `Partition ${this.partition} of topic "${this.topic}" cannot be ${event} while it is ${this.#state}`,
      )
    return (this.#state = next)
  }

  /** Takes over what was known of the end of its log before it was asked for at another offset. */
  logEndsAs({ highWatermark, lastStableOffset }: Pick<PartitionFetch, 'highWatermark' | 'lastStableOffset'>): void {
    if (highWatermark < 0) return
    this.highWatermark = highWatermark
    this.lastStableOffset = lastStableOffset
  }

  /** @returns the state afterwards: `moving` when nothing has to be taken before */
  losePosition(): FetchState {
    const state = this.on('positionLost')
    return this.completed.length === 0 ? this.on('drained') : state
  }

  /** Records the id of its topic. @returns whether it has changed: a topic that is deleted and created again has another one */
  noteTopicId(topicId: string | undefined): boolean {
    if (topicId === undefined || topicId === this.#topicId) return false
    const isFirst = this.#topicId === undefined
    this.#topicId = topicId
    return !isFirst
  }
}
