/**
 * `$toEvent`: puts each value into the event envelope of Rivven, as topics of its hub hold it. Key, headers and time of
 * the record stay as they are.
 */
import type { RowFailed, Stage } from '../contracts/stage.ts'
import { stringifyExactly } from '../records/exact-numbers.ts'
import type { Batch } from '../records/batch.ts'
import { BatchWriter } from '../records/batch-writer.ts'
import { eventText, parseEvent, type EnvelopeOptions } from '../events/envelope.ts'
import { applyTransforms } from '../events/apply-transforms.ts'
import type { Options } from '../options/declaration.ts'
import { decodedValueOfRow, documentsOf, valueOfRow } from './event-documents.ts'
import type { toEventFields } from './definitions/events.ts'
import { stageFailed } from './rows.ts'

export class ToEventStage implements Stage {
  readonly name = '$toEvent'
  readonly needs: 'metadata' | 'documents'
  readonly does = 'puts each value into an event; key, headers and time stay'
  readonly #options: Options<typeof toEventFields>

  constructor(options: Options<typeof toEventFields>) {
    this.#options = options
    this.needs = options.decoded ? 'documents' : 'metadata'
  }

  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    const now = new Date().toISOString()
    const { stream = batch.topic, namespace, includeKey, includeHeaders, includePosition, decoded } = this.#options
    const envelope: EnvelopeOptions = { stream, namespace, includeKey, includeHeaders, includePosition }
    const writer = new BatchWriter(batch, 512)
    const kept: number[] = []
    for (let row = 0; row < batch.length; row++) {
      try {
        const value = decoded ? decodedValueOfRow(batch, row) : valueOfRow(batch, row)
        const text = this.#event(eventText(batch, row, value, envelope, now))
        if (text === undefined) continue
        writer.add(row, { value: text })
        kept.push(row)
      } catch (error) {
        stageFailed(batch, row, this.name, error, failed)
      }
    }
    return documentsOf(writer.finish(), batch, kept)
  }

  #event(text: string): string | undefined {
    const { transforms } = this.#options
    if (transforms.length === 0) return text
    const event = parseEvent(text)!
    return applyTransforms(event, transforms) ? stringifyExactly(event) : undefined
  }
}
