/**
 * Fetch sessions (KIP-227): a client names its partitions once, and later only what has changed; the answer leaves out
 * partitions about which there is nothing new.
 */
import { ERROR } from '../../protocol/error-codes.ts'

/** Epoch of a request that begins a session, and of one that ends it or wants none. */
export const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const MAX_SESSIONS = 1000

/** A partition that a client fetches. */
export interface FetchedPartition {
  /** Empty when the client used the id. */
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  readonly maxBytes: number
  readonly currentLeaderEpoch: number
  readonly lastFetchedEpoch: number
}

interface SessionPartition extends FetchedPartition {
  /** What the client was last sent. */
  highWatermark: number
  logStartOffset: number
}

/** Sent in a response in any case the first time. */
const NOTHING_SENT = { highWatermark: -2, logStartOffset: -2 }

export class FetchSession {
  readonly id: number
  epoch = 1
  /** In the order in which they are looked at. */
  readonly #partitions = new Map<string, SessionPartition>()

  constructor(id: number) {
    this.id = id
  }

  partitions(): FetchedPartition[] {
    return [...this.#partitions.values()]
  }

  update(changed: readonly FetchedPartition[], forgotten: readonly FetchedPartition[]): void {
    for (const partition of changed) {
      const key = keyOf(partition)
      this.#partitions.set(key, { ...NOTHING_SENT, ...this.#partitions.get(key), ...partition })
    }
    for (const partition of forgotten) this.#partitions.delete(keyOf(partition))
  }

  /**
   * Whether a partition belongs into an incremental answer: it has records, an error, or another watermark than was sent last.
   * One with records moves to the end, so that the others have their turn.
   */
  isNews(
    partition: FetchedPartition,
    sent: { errorCode: number; highWatermark: number; logStartOffset?: number; bytes: number },
  ): boolean {
    const key = keyOf(partition)
    const known = this.#partitions.get(key)
    if (known === undefined) return true
    const { highWatermark, logStartOffset = -1, errorCode, bytes } = sent
    const news =
      errorCode !== 0 || bytes > 0 || known.highWatermark !== highWatermark || known.logStartOffset !== logStartOffset
    // An error is sent until it is gone, and what comes after it in any case.
    Object.assign(known, errorCode === 0 ? { highWatermark, logStartOffset } : NOTHING_SENT)
    if (bytes > 0) {
      this.#partitions.delete(key)
      this.#partitions.set(key, known)
    }
    return news
  }
}

function keyOf({ topic, topicId, partition }: FetchedPartition): string {
  return `${topic}/${topicId}/${partition}`
}

/** The sessions of one node. */
export class FetchSessions {
  /** The one that was used longest ago comes first. */
  readonly #sessions = new Map<number, FetchSession>()
  #lastId = 0

  /** Begins a session; when there are too many, the one that was used longest ago ends. */
  create(): FetchSession {
    this.#lastId = this.#lastId === 0x7fffffff ? 1 : this.#lastId + 1
    const session = new FetchSession(this.#lastId)
    if (this.#sessions.size >= MAX_SESSIONS) this.#sessions.delete(this.#sessions.keys().next().value!)
    this.#sessions.set(session.id, session)
    return session
  }

  /** Finds the session that a request continues. @returns `undefined` when it wants none; an error code when it may not go on */
  resume(id: number, epoch: number): FetchSession | number | undefined {
    if (epoch === FINAL_EPOCH || epoch === INITIAL_EPOCH) {
      this.#sessions.delete(id)
      return undefined
    }
    const session = this.#sessions.get(id)
    if (session === undefined) return ERROR.FETCH_SESSION_ID_NOT_FOUND
    if (session.epoch !== epoch) return ERROR.INVALID_FETCH_SESSION_EPOCH
    session.epoch = epoch === 0x7fffffff ? 1 : epoch + 1
    this.#sessions.delete(id)
    this.#sessions.set(id, session)
    return session
  }

  get size(): number {
    return this.#sessions.size
  }
}
