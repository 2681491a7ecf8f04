/**
 * The way of rows through a graph whose sources commit by themselves (`at_least_once`, `at_most_once`):
 *
 * ```
 * source ──► every stage, as soon as a batch comes ──► sinks ──► acknowledge
 *            one batch may go several ways             a batch is acknowledged when it, and all
 *            several batches may become one            that was made of it, has arrived (I1)
 * ```
 *
 * When a source has ended, the end follows its batches, and stages that kept rows back release them. Shares of an
 * acknowledgement keep the count: a source commits a batch only when every branch has delivered or dropped it.
 */
import { SharedAcknowledgement } from '../../records/acknowledgement.ts'
import type { Transform } from '../../contracts/stage.ts'
import type { Acknowledgement, Batch } from '../../records/batch.ts'
import { firstCutOff } from '../../records/cut-off.ts'
import type { Delivery } from '../delivery.ts'
import type { Histogram } from '../../metrics/counters.ts'
import type { ErrorHandling } from '../failures/error-handling.ts'
import type { Failures } from '../failures/failures.ts'
import { partBeforeFailure } from '../failures/rows-before.ts'
import { InFlight, IN_FLIGHT_BYTES } from '../in-flight.ts'
import type { Activity } from '../watching/activity.ts'
import { markStages } from '../stage-chain.ts'
import { copyOf, decoded, processed } from './branches.ts'
import { isTaken, type Node, type SinkNode, type SourceNode, type TransformNode } from './nodes.ts'

export interface StreamingOptions {
  readonly errors: ErrorHandling
  /** What delivers to each sink. */
  readonly deliveries: ReadonlyMap<SinkNode, Delivery>
  /** Gives up what is under way. */
  readonly abort: AbortSignal
  /** All stages between sources and sinks. */
  readonly transforms: readonly Pick<Transform, 'mark' | 'cutOff'>[]
  readonly hasSeveralSources: boolean
  /** Fires with the first failure. */
  readonly failed: AbortController
  /** Whether batches are committed before they come here (`at_most_once`), so that they must not wait for room afterwards. */
  readonly isCommittedFirst: boolean
  /** See `keeps-nothing.ts`. */
  readonly isReleased: boolean
  readonly activity: Activity
  /** Counts how old records are when they are acknowledged. */
  readonly latency: Histogram
}

/** What has failed on the way of a batch, which is disposed of at the end of its way. */
class Failing {
  readonly #open: { readonly failures: Failures; readonly shared: SharedAcknowledgement }[] = []

  /** @param shared released when the failures are disposed of (I1) */
  add(failures: Failures | undefined, shared: SharedAcknowledgement): void {
    if (failures === undefined || failures.list.length === 0) shared.release()
    else this.#open.push({ failures, shared })
  }

  /** @param leaves takes out of them what the next run reads again */
  async dispose(errors: ErrorHandling, abort: AbortSignal, leaves: (failures: Failures) => void): Promise<void> {
    for (const { failures, shared } of this.#open.splice(0)) {
      leaves(failures)
      await errors.dispose(failures, abort)
      shared.release()
    }
  }
}

export class StreamingFlow {
  readonly #options: StreamingOptions
  readonly #inFlight = new InFlight(IN_FLIGHT_BYTES)
  /** Acknowledgements that wait for the end of a sink. */
  readonly #held: Acknowledgement[] = []
  /** Whether rows of the batch that is on its way were written or kept back, so that they must not come again. */
  #isTouched = false

  constructor(options: StreamingOptions) {
    this.#options = options
  }

  /** Reads a source to its end, or until nothing takes its rows any more. */
  async read(node: SourceNode, batches: () => AsyncIterable<Batch>): Promise<void> {
    const counter = node.meter.counter('millrace_source_batches_total')
    const activity = this.#options.activity.reader()
    try {
      for await (const batch of batches()) {
        activity.busy()
        counter.add(1)
        const restoreStages = markStages(this.#options.transforms)
        this.#isTouched = false
        try {
          await this.#take(node, batch)
        } catch (error) {
          this.#options.errors.failing(error, batch)
          // With several sources the stages have gone on with what others read meanwhile.
          const before =
            this.#isTouched || this.#options.hasSeveralSources ? undefined : partBeforeFailure(error, batch)
          if (before === undefined || !(await this.#isTakenBefore(node, before, restoreStages))) throw error
        }
        if (!isTaken(node)) break
        activity.idle()
      }
      const { abort, failed } = this.#options
      if (!failed.signal.aborted && !abort.aborted) await this.#end(node)
    } catch (error) {
      this.#fail(error)
    } finally {
      activity.ended()
    }
  }

  /**
   * Takes what comes before the record that ends the run.
   * @returns whether a limit is reached before it: then reading ends there, and the record is the next run's
   */
  async #isTakenBefore(node: SourceNode, before: Batch, restoreStages: () => void): Promise<boolean> {
    restoreStages()
    try {
      await this.#take(node, before)
    } catch {
      return false // a stage that combines rows fails here, too
    }
    return !isTaken(node)
  }

  /** Bytes under way. */
  get bytes(): number {
    return this.#inFlight.bytes
  }

  async #take(node: SourceNode, batch: Batch): Promise<void> {
    const { errors, abort } = this.#options
    const failing = new Failing()
    const failures = errors.collect() // undefined where the first failure ends the run
    const rest = decoded(node, batch, failures)
    if (rest === batch) await this.#spread(batch, node.followers, failing)
    else {
      const shared = new SharedAcknowledgement([batch.acknowledgement])
      const passed = rest && copyOf(rest, shared.share())
      failing.add(failures, shared)
      if (passed !== undefined) await this.#spread(passed, node.followers, failing)
    }
    await failing.dispose(errors, abort, (failed) => this.#leave(node, batch, failed))
  }

  /** What lies behind a limit that ends the run is the next run's, unless it is committed already. */
  #leave(node: SourceNode, batch: Batch, failures: Failures): void {
    const { isCommittedFirst, transforms } = this.#options
    if (isCommittedFirst || isTaken(node)) return
    const cutOff = transforms.flatMap((each) => each.cutOff ?? [])
    failures.leave(batch, firstCutOff(batch, cutOff))
  }

  /** Resolves when another batch may be on its way. @throws what ended the run */
  room(): Promise<void> {
    return this.#inFlight.room()
  }

  /** Resolves when everything under way has arrived. @throws the first failure */
  settled(): Promise<void> {
    return this.#inFlight.settled()
  }

  /** Acknowledges what counts only now that all sinks are flushed (I1): files are complete. */
  acknowledgeHeld(): void {
    for (const acknowledgement of this.#held) acknowledgement.ack()
  }

  /** Passes a batch to all stages that take it. Each gets rows of its own, and only when all are done it is acknowledged (I1). */
  async #spread(batch: Batch, followers: readonly Node[], failing: Failing): Promise<void> {
    const [only] = followers
    if (only === undefined) return batch.ack()
    if (followers.length === 1) return this.#accept(only, batch, failing)
    const shared = new SharedAcknowledgement([batch.acknowledgement])
    const copies = followers.map(() => copyOf(batch, shared.share()))
    shared.release()
    for (const [i, follower] of followers.entries()) await this.#accept(follower, copies[i]!, failing)
  }

  async #accept(node: Node, batch: Batch, failing: Failing): Promise<void> {
    if (node.kind === 'transform') {
      for (const passed of await this.#transform(node, batch, failing))
        await this.#spread(passed, node.followers, failing)
    } else if (node.kind === 'sink') {
      if (node.followers.length === 0) return this.#write(node, batch)
      // A sink passes on what it was given.
      const shared = new SharedAcknowledgement([batch.acknowledgement])
      const [own, others] = [copyOf(batch, shared.share()), copyOf(batch, shared.share())]
      shared.release()
      await this.#write(node, own)
      await this.#spread(others, node.followers, failing)
    }
  }

  async #transform(node: TransformNode, batch: Batch, failing: Failing): Promise<readonly Batch[]> {
    const { transform } = node
    this.#isTouched ||= transform.finish !== undefined || transform.waits === true
    const { errors, abort } = this.#options
    const failures = errors.collect() // undefined where the first failure ends the run
    if (failures === undefined) return processed(node, batch, abort, undefined)
    const shared = new SharedAcknowledgement([batch.acknowledgement])
    const passed = await processed(node, copyOf(batch, shared.share()), abort, failures)
    failing.add(failures, shared)
    return passed
  }

  async #write(node: SinkNode, batch: Batch): Promise<void> {
    this.#isTouched = true
    if (!this.#options.isCommittedFirst) await this.#options.activity.waiting(this.#inFlight.room())
    this.#inFlight.add(batch.byteLength, this.#deliver(node, batch))
  }

  async #deliver(node: SinkNode, batch: Batch): Promise<void> {
    const { errors, deliveries, abort } = this.#options
    const failures = errors.collect()
    try {
      await deliveries.get(node)!.write(batch, failures)
      if (failures !== undefined) await errors.dispose(failures, abort)
      if (node.sink.completesAtEnd === true) this.#held.push(batch.acknowledgement)
      else {
        batch.ack() // I1: only now may its offsets be committed
        const { newestTimestamp } = batch
        if (newestTimestamp !== undefined) this.#options.latency.observe((Date.now() - newestTimestamp) / 1000)
        if (this.#options.isReleased && !failures?.list.length) batch.release()
      }
    } catch (error) {
      errors.failing(error, batch)
      this.#fail(error)
      throw error
    }
  }

  /** Lets the stages behind a node know that no more rows come from it. */
  async #end(node: Node): Promise<void> {
    for (const follower of node.followers) {
      if (--follower.openInputs > 0) continue
      if (follower.kind === 'transform')
        for (const batch of (await follower.transform.finish?.(this.#options.abort)) ?? []) {
          const failing = new Failing()
          await this.#spread(batch, follower.followers, failing)
          await failing.dispose(this.#options.errors, this.#options.abort, () => {})
        }
      await this.#end(follower)
    }
  }

  /** The first failure counts. */
  #fail(error: unknown): void {
    const { failed } = this.#options
    if (!failed.signal.aborted) failed.abort(error)
  }
}
