/**
 * The way of a batch through a graph with `delivery: exactly_once`:
 *
 * ```
 * batch ──► all stages, in one go ──► all sinks, at once ──► acknowledge
 * ```
 *
 * Nothing waits between the first stage and the last write, so that no commit falls between two outputs of a batch (I5).
 * Where a stage has to wait, or a row may have to be written again or as a dead letter, commits wait instead (`inSteps`).
 * Nobody keeps rows back here, so the batch itself is what is acknowledged, not what was made of it.
 */
import type { Transform } from '../../contracts/stage.ts'
import { NO_ACKNOWLEDGEMENT } from '../../records/acknowledgement.ts'
import { firstCutOff } from '../../records/cut-off.ts'
import type { Batch } from '../../records/batch.ts'
import type { Pace } from '../../resilience/pace.ts'
import type { Counter } from '../../metrics/counters.ts'
import type { Delivery } from '../delivery.ts'
import type { ErrorHandling } from '../failures/error-handling.ts'
import type { Work } from '../transactional-work.ts'
import type { Failures } from '../failures/failures.ts'
import { copyOf, decoded, processed } from './branches.ts'
import { isTaken, type Node, type SinkNode, type SourceNode, type TransformNode } from './nodes.ts'

export interface FlowOptions {
  readonly source: SourceNode
  /** All stages between source and sinks. */
  readonly transforms: readonly Pick<Transform, 'cutOff'>[]
  readonly errors: ErrorHandling
  /** Makes what delivers to each sink. @param attemptEnded fires when nothing may be written any more */
  readonly deliveries: (attemptEnded: AbortSignal) => ReadonlyMap<SinkNode, Delivery>
  readonly inSteps: boolean
  /** Whether a stage waits for something. */
  readonly waits: boolean
  /** See `../keeps-nothing.ts`. */
  readonly isReleased: boolean
  readonly pace: Pace
}

/** How far a batch has come: what is to be written, what waits for a stage, what failed on the way. */
class Passed {
  readonly writes: { readonly node: SinkNode; readonly batch: Batch }[] = []
  readonly waits: { readonly node: TransformNode; readonly batch: Batch }[] = []
  readonly failures: Failures[] = []

  get isNothing(): boolean {
    return this.writes.length === 0 && this.waits.length === 0 && this.failures.every(({ list }) => list.length === 0)
  }
}

export class TransactionalFlow implements Work {
  readonly inSteps: boolean
  readonly waits: boolean
  readonly pace: Pace
  readonly errors: ErrorHandling
  readonly #options: FlowOptions
  readonly #batchCounter: Counter
  /** Of the attempt: they give up when it is over, or what is late would become part of the next one. */
  #attemptEnded: AbortSignal | undefined
  #deliveries: ReadonlyMap<SinkNode, Delivery> = new Map()
  /** Resolved when the last batch that came to a stage that waits has gone on from there: none overtakes another (I2). */
  #turns = new Map<TransformNode, Promise<void>>()

  constructor(options: FlowOptions) {
    this.#options = options
    this.#batchCounter = options.source.meter.counter('millrace_source_batches_total')
    this.waits = options.waits
    this.inSteps = options.inSteps || options.waits
    this.pace = options.pace
    this.errors = options.errors
  }

  begin(batch: Batch, attemptEnded: AbortSignal): (() => Promise<void>) | undefined {
    if (attemptEnded !== this.#attemptEnded) {
      this.#attemptEnded = attemptEnded
      this.#deliveries = this.#options.deliveries(attemptEnded)
      this.#turns = new Map()
    }
    const passed = new Passed()
    this.#batchCounter.add(1)
    const failing = (error: unknown): never => {
      this.errors.failing(error, batch)
      throw error
    }
    const { source, transforms } = this.#options
    try {
      const failures = this.errors.collect() // undefined where the first failure ends the run
      if (failures !== undefined) passed.failures.push(failures)
      const rest = decoded(source, batch, failures)
      if (rest !== undefined) this.#spread(copyOf(rest, NO_ACKNOWLEDGEMENT), source.followers, attemptEnded, passed)
    } catch (error) {
      failing(error)
    }
    if (!isTaken(source)) {
      const cutOff = firstCutOff(
        batch,
        transforms.flatMap((each) => each.cutOff ?? []),
      )
      for (const failures of passed.failures) failures.leave(batch, cutOff)
    }
    return passed.isNothing ? undefined : () => this.#finish(passed, attemptEnded).catch(failing)
  }

  #spread(batch: Batch, followers: readonly Node[], attemptEnded: AbortSignal, passed: Passed): void {
    for (const follower of followers)
      this.#accept(follower, followers.length === 1 ? batch : copyOf(batch, NO_ACKNOWLEDGEMENT), attemptEnded, passed)
  }

  #accept(node: Node, batch: Batch, attemptEnded: AbortSignal, passed: Passed): void {
    if (node.kind === 'sink') {
      // A sink passes on what it was given.
      passed.writes.push({ node, batch: node.followers.length === 0 ? batch : copyOf(batch, NO_ACKNOWLEDGEMENT) })
      this.#spread(batch, node.followers, attemptEnded, passed)
    } else if (node.kind === 'transform') {
      if (node.transform.waits === true) passed.waits.push({ node, batch })
      else
        for (const one of this.#process(node, batch, attemptEnded, passed) as readonly Batch[])
          this.#spread(one, node.followers, attemptEnded, passed)
    }
  }

  #process(node: TransformNode, batch: Batch, attemptEnded: AbortSignal, passed: Passed): ReturnType<typeof processed> {
    const failures = this.#options.errors.collect() // undefined where the first failure ends the run
    if (failures !== undefined) passed.failures.push(failures)
    return processed(node, batch, attemptEnded, failures)
  }

  /** Resolves when all that became of a batch is acknowledged or disposed of. */
  async #finish({ writes, waits, failures }: Passed, attemptEnded: AbortSignal): Promise<void> {
    await Promise.all([
      ...writes.map(({ node, batch }) => this.#write(node, batch, attemptEnded)),
      ...failures.map((each) => this.#options.errors.dispose(each, attemptEnded)),
      ...waits.map(({ node, batch }) => this.#inTurn(node, batch, attemptEnded)),
    ])
  }

  async #write(node: SinkNode, batch: Batch, attemptEnded: AbortSignal): Promise<void> {
    const failures = this.#options.errors.collect()
    await this.#deliveries.get(node)!.write(batch, failures)
    if (failures !== undefined) await this.#options.errors.dispose(failures, attemptEnded)
    if (this.#options.isReleased && !failures?.list.length) batch.release()
  }

  async #inTurn(node: TransformNode, batch: Batch, attemptEnded: AbortSignal): Promise<void> {
    const before = this.#turns.get(node)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#turns.set(node, promise)
    const passed = new Passed()
    let finished: Promise<void>
    try {
      await before
      attemptEnded.throwIfAborted()
      for (const one of await this.#process(node, batch, attemptEnded, passed))
        this.#spread(one, node.followers, attemptEnded, passed)
      finished = this.#finish(passed, attemptEnded)
    } finally {
      resolve()
    }
    await finished
  }
}
