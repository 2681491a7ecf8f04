/**
 * Calls that append wait in line, so that records of a partition are written in the order of the calls even while one of
 * them waits for memory or for the metadata of a topic.
 */
import { DeliveryError, isMillraceError, type MillraceError } from '../../errors/index.ts'
import { asMillraceError } from '../../errors/unexpected.ts'
import { throwIfAborted, untilAborted } from '../../resilience/abort.ts'
import { guarded } from '../../resilience/background.ts'
import { LinkedList } from '../../resilience/linked-list.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Accumulator } from './accumulator.ts'
import type { AppendJob, Stop } from './append-job.ts'
import type { ProducerOptions } from './options.ts'
import type { Outcomes } from './outcomes.ts'
import { LINGER_OF_STREAMS_MS } from '../properties/producer-limits.ts'
import { ReportTicket, type Ticket } from './reports.ts'
import type { Sender } from './sender.ts'
import type { Transactions } from './transactions.ts'

export class AppendLine {
  readonly #cluster: Cluster
  readonly #options: ProducerOptions
  readonly #accumulator: Accumulator
  readonly #sender: Sender
  readonly #outcomes: Outcomes
  readonly #transactions: Transactions | undefined
  /** Of calls that wait for acknowledgements. */
  readonly #tickets = new LinkedList<Ticket>()
  readonly #forget = (ticket: Ticket): void => this.#tickets.delete(ticket)
  /** The last one in the line; undefined when it is empty. */
  #last: Promise<void> | undefined
  /** Fires when what is still open has been given up; after the abort of a transaction there is a new one. */
  #abandoned = new AbortController()
  #isSendingSoon = false
  /** Ends the wait of the call whose turn it is, so that it looks again whether it is to go on. */
  #wake: (() => void) | undefined

  constructor(
    cluster: Cluster,
    options: ProducerOptions,
    accumulator: Accumulator,
    sender: Sender,
    outcomes: Outcomes,
    transactions: Transactions | undefined,
  ) {
    this.#cluster = cluster
    this.#options = options
    this.#accumulator = accumulator
    this.#sender = sender
    this.#outcomes = outcomes
    this.#transactions = transactions
  }

  /**
   * Appends what a job has, waits for memory and topics where it must, and then for the acknowledgements.
   * @throws {AbortedError}
   */
  append(
    makeJob: () => AppendJob,
    ticket: Ticket,
    topic: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    throwIfAborted('Writing', signal)
    this.#transactions?.throwUnless('write', 'open', 'committing', 'ready')
    if (ticket.isDone) return ticket.done
    this.#tickets.add(ticket)
    ticket.onDone = this.#forget
    this.#followTopic(topic)
    const job = this.#make(makeJob, ticket)
    const stop = this.#appendAtOnce(job)
    return stop === 'done' ? untilAborted(ticket.done, 'Writing', signal) : this.#appendInTurn(job, stop, signal)
  }

  /** A batch that turns out to be damaged fails with all its records: `close` waits for every ticket. */
  #make(makeJob: () => AppendJob, ticket: Ticket): AppendJob {
    try {
      return makeJob()
    } catch (error) {
      ticket.abandoned(0, asMillraceError(error, 'Cannot append records'))
      this.#noteLost(ticket)
      throw error
    }
  }

  /**
   * Appends a job at once when no other call is waiting, which is the usual case. A single record then costs no promise here.
   * @returns why it stopped; undefined when it has to wait for its turn
   */
  #appendAtOnce(job: AppendJob): Stop | undefined {
    if (this.#last !== undefined || this.#abandoned.signal.aborted) return undefined
    try {
      const stop = this.#fill(job)
      if (stop !== 'done') return stop
    } catch (error) {
      throw this.#broken(job, error)
    }
    this.#noteLost(job.ticket)
    this.#sendSoon()
    return 'done'
  }

  async #appendInTurn(job: AppendJob, stop: Stop | undefined, signal: AbortSignal | undefined): Promise<void> {
    await untilAborted(
      this.run(() => this.#append(job, stop, signal)),
      'Writing',
      signal,
    )
    await untilAborted(job.ticket.done, 'Writing', signal)
  }

  /** Runs one call after the other; at once when the line is empty. */
  async run(work: () => Promise<void>): Promise<void> {
    const before = this.#last
    const mine = before === undefined ? work() : before.then(work)
    const settled = (): void => {
      if (this.#last === last) this.#last = undefined
    }
    const last = mine.then(settled, settled)
    this.#last = last
    await mine
  }

  /** Resolves when the line is empty. */
  async idle(): Promise<void> {
    while (this.#last !== undefined) await this.#last
  }

  /** Resolves when everything written so far is acknowledged or has failed. */
  written(): Promise<unknown> {
    return Promise.all(this.#tickets.all().map(({ done }) => done))
  }

  /** Calls that still append fail with this error, and so do later ones until `reopen`. */
  abandon(error: MillraceError): void {
    this.#abandoned.abort(error)
  }

  /** What a call has not appended yet fails. */
  giveUp(ticket: Ticket): void {
    ticket.givenUp = new DeliveryError('Records that waited for memory or for their topic were given up', {
      code: 'DELIVERY_TIMED_OUT',
      component: 'kafka',
    })
    this.#wake?.()
  }

  reopen(): void {
    this.#abandoned = new AbortController()
  }

  /**
   * Finds out the partitions of a topic.
   * @throws {BrokerError} `TOPIC_NOT_FOUND`
   */
  async learn(topic: string, signal?: AbortSignal): Promise<void> {
    const { partitions, id } = await this.#cluster.newTopic(topic, signal)
    this.#accumulator.learn(topic, partitions.length, id)
  }

  /** What cannot be appended fails. @param stop why the job stopped when it was tried at once */
  async #append(job: AppendJob, stop: Stop | undefined, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#appendAll(job, stop, signal)
    } catch (error) {
      throw this.#broken(job, error)
    }
    this.#noteLost(job.ticket)
  }

  /** @returns the error */
  #broken(job: AppendJob, error: unknown): unknown {
    job.abandon(asMillraceError(error, 'Cannot append records'))
    this.#noteLost(job.ticket)
    return error
  }

  /** A program commits what it has written as a whole; the engine decides for each row of a batch. */
  #noteLost(ticket: Ticket): void {
    const failure = ticket instanceof ReportTicket ? ticket.failures?.values().next().value : undefined
    if (failure !== undefined) this.#transactions?.onLost(failure, this.#accumulator.transaction)
  }

  async #appendAll(job: AppendJob, first: Stop | undefined, signal: AbortSignal | undefined): Promise<void> {
    for (let stop = first; ; stop = undefined) {
      throwIfAborted('Writing', this.#abandoned.signal)
      throwIfAborted('Writing', signal)
      if (job.ticket.givenUp !== undefined) return job.abandon(job.ticket.givenUp)
      stop ??= this.#fill(job)
      if (stop === 'done') return this.#sendSoon()
      // What others still wait to write has to be sent at once as well.
      if (stop === 'no memory') this.#accumulator.closeAll()
      this.#sender.drain()
      if (stop === 'no memory') await untilAborted(this.#orWoken(this.#accumulator.room()), 'Writing', signal)
      else if (stop === 'time') await new Promise<void>((resolve) => setImmediate(resolve))
      else await this.#learnFor(job, signal)
    }
  }

  #fill(job: AppendJob): Stop {
    this.#accumulator.isFilling = true
    try {
      return job.run()
    } finally {
      this.#accumulator.isFilling = false
    }
  }

  /**
   * Sends what is due, together with what comes in the same turn of the event loop.
   *
   * A program that awaits each record would wait for the linger each time, in vain: while nothing is under way, nothing is gained by
   * waiting for more. A longer linger was asked for, and is kept.
   */
  #sendSoon(): void {
    const { lingerMs } = this.#options
    const isDue = lingerMs === 0 || this.#accumulator.flushing > 0
    if (!isDue) this.#sender.drain()
    if (this.#isSendingSoon || (!isDue && (this.#sender.underWay > 0 || lingerMs > LINGER_OF_STREAMS_MS))) return
    this.#isSendingSoon = true
    const send = (): void => {
      this.#isSendingSoon = false
      if (!isDue && this.#sender.underWay === 0) this.#accumulator.closeAll()
      this.#sender.drain()
    }
    setImmediate(guarded(send, (error) => this.#outcomes.allBroken(error)))
  }

  #orWoken(work: Promise<unknown>): Promise<unknown> {
    return Promise.race([work, new Promise<void>((resolve) => (this.#wake = resolve))])
  }

  /** A topic that does not exist fails its records, not the call. */
  async #learnFor(job: AppendJob, signal: AbortSignal | undefined): Promise<void> {
    const topic = job.missingTopic
    const stop = signal === undefined ? this.#abandoned.signal : AbortSignal.any([signal, this.#abandoned.signal])
    try {
      await untilAborted(this.#orWoken(this.learn(topic)), 'Writing', stop)
    } catch (error) {
      if (stop.aborted || !isMillraceError(error)) throw error
      job.refuseTopic(
        topic,
        new DeliveryError(`Cannot write to topic "${topic}": ${error.message}`, {
          cause: error,
          topic,
          component: 'kafka',
        }),
      )
    }
  }

  /** Notices new partitions, and a topic that was created again; the cluster asks for metadata when it is due. */
  #followTopic(name: string | undefined): void {
    if (name === undefined || this.#accumulator.topic(name) === undefined) return
    const known = this.#cluster.cachedTopic(name)
    if (known !== undefined) this.#accumulator.learn(name, known.partitions.length, known.id)
    if (known === undefined || this.#cluster.isStale(known)) this.#cluster.topic(name).catch(() => {})
  }
}
