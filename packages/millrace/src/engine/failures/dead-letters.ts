/**
 * Writes dead letters to a sink of their own: a topic, a file, anything that the catalog has.
 */
import type { ComponentContext } from '../../contracts/context.ts'
import type { Sink } from '../../contracts/sink.ts'
import { NO_ACKNOWLEDGEMENT } from '../../records/acknowledgement.ts'
import { Batch } from '../../records/batch.ts'
import { BatchError, DeliveryError, isMillraceError, type MillraceError } from '../../errors/index.ts'
import { makeRecords } from '../../records/make-records.ts'
import { toLetter } from './envelopes.ts'
import type { Failure } from './failures.ts'
import { observeSink } from '../watching/observed.ts'
import type { Components, EnvelopeName, PipelinePlan } from '../plan.ts'

/**
 * Makes what writes the dead letters of a plan; undefined where it asks for none, and for a preview, which leaves none. Its sink
 * is to be opened after those of the pipeline, whose transactions it joins.
 */
export async function makeDeadLetters(
  { name, errorPolicy: { deadLetters: letters } }: Pick<PipelinePlan, 'name' | 'errorPolicy'>,
  components: Pick<Components, 'sink'>,
  context: ComponentContext,
): Promise<DeadLetters | undefined> {
  if (letters === undefined || context.preview !== undefined) return undefined
  const { component, options } = letters.sink
  const definition = await components.sink(component)
  const metrics = context.metrics.with({ stage: 'dead-letters', component })
  const sink = await definition.create(options, { ...context, metrics })
  observeSink(metrics, sink)
  return new DeadLetters(sink, letters.envelope, letters.connector ?? name)
}

export class DeadLetters {
  readonly sink: Sink
  readonly #envelope: EnvelopeName
  readonly #pipeline: string

  constructor(sink: Sink, envelope: EnvelopeName, pipeline: string) {
    this.sink = sink
    this.#envelope = envelope
    this.#pipeline = pipeline
  }

  /**
   * The dead letters of failures of one batch, as a batch that any sink can write: for whoever has a way of their own, for
   * instance a transaction.
   */
  toBatch(failures: readonly Failure[]): Batch {
    const { topic, partition, component } = failures[0]!.batch.origin
    const now = new Date()
    const records = makeRecords(failures.map((failure) => toLetter(this.#envelope, failure, this.#pipeline, now)))
    // No number of partitions, so that a sink does not take the partition over.
    return new Batch(
      { component, topic, partition, partitionCount: 0, timestampType: 'CreateTime' },
      records,
      NO_ACKNOWLEDGEMENT,
    )
  }

  /**
   * Resolves when all letters are acknowledged.
   * @throws {DeliveryError} `DEAD_LETTER_FAILED`
   */
  async write(failures: readonly Failure[], signal: AbortSignal): Promise<void> {
    try {
      await this.sink.write(this.toBatch(failures), signal)
    } catch (cause) {
      if (signal.aborted) throw cause
      throw deadLetterError(failures, cause)
    }
  }
}

/** Tells of the letter that could not be written, and of the failure behind it. */
function deadLetterError(failures: readonly Failure[], cause: unknown): DeliveryError {
  const [row, reason] = cause instanceof BatchError ? [...cause.failures][0]! : [0, cause as MillraceError]
  const { batch, row: failed, error } = failures[row] ?? failures[0]!
  const offset = batch.offset(failed)
  const why = isMillraceError(reason) ? `${reason.code}: ${reason.message}` : String(reason)
  return new DeliveryError(
    `Cannot write the dead letter of offset ${offset} of "${batch.topic}" partition ${batch.partition}, so the run stops before it: ${why}. The record had failed with ${error.code}: ${error.message}`,
    {
      code: 'DEAD_LETTER_FAILED',
      cause,
      topic: batch.topic,
      partition: batch.partition,
      offset,
      component: batch.origin.component,
    },
  )
}
