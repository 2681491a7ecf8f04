/**
 * Requests for metadata, one after the other: callers that ask while one is under way share the next one, so that a thousand topics
 * whose leader is down are one request and not a thousand.
 */
import type { BrokerError } from '../../errors/index.ts'

/** What cannot be read, by topic. */
export type TopicErrors = ReadonlyMap<string, BrokerError>

interface Round {
  readonly topics: Set<string>
  readonly done: Promise<TopicErrors>
}

/** How long a round waits for the one before it; one that asks brokers that are down may take long. */
const PATIENCE_MS = 1000

export class MetadataRounds {
  readonly #ask: (topics: readonly string[]) => Promise<TopicErrors>
  #running: Round | undefined
  #next: Round | undefined

  /** @param ask sends one request */
  constructor(ask: (topics: readonly string[]) => Promise<TopicErrors>) {
    this.#ask = ask
  }

  /** Asks for topics, in the round that is under way if that is about them all. @throws what `ask` throws */
  join(topics: readonly string[]): Promise<TopicErrors> {
    const running = this.#running
    if (running !== undefined && topics.every((topic) => running.topics.has(topic))) return running.done
    this.#next ??= this.#prepare(running)
    for (const topic of topics) this.#next.topics.add(topic)
    return this.#next.done
  }

  #prepare(before: Round | undefined): Round {
    const topics = new Set<string>()
    const round: Round = { topics, done: this.#run(topics, before, () => round) }
    // Callers may have given up waiting.
    round.done.catch(() => {})
    return round
  }

  async #run(topics: ReadonlySet<string>, before: Round | undefined, self: () => Round): Promise<TopicErrors> {
    // Without one before, callers of the same turn of the event loop join.
    await (before === undefined ? Promise.resolve() : settledOrLate(before.done))
    this.#next = undefined
    const round = (this.#running = self())
    try {
      return await this.#ask([...topics])
    } finally {
      if (this.#running === round) this.#running = undefined
    }
  }
}

async function settledOrLate(promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS)
    timer.unref()
  })
  await Promise.race([promise.catch(() => {}), late])
  clearTimeout(timer)
}
