/**
 * What happens to records that cannot be decoded, in loops over records and in `poll`. Without a policy, reading their key or value throws.
 */
import { DecodeError } from '../errors/index.ts'
import type { Report } from '../metrics/events.ts'
import type { ConsumerRecord } from '../records/record.ts'

/** `fail` ends the loop with the error and leaves the record unacknowledged; `skip` counts it as done. */
export type DecodeAction = 'fail' | 'skip'

/** Decides for each record; may write it somewhere else before. Its key or value throws the error when it is read; pass on `raw`. */
export type OnDecodeError =
  | DecodeAction
  | ((error: DecodeError, raw: ConsumerRecord) => DecodeAction | Promise<DecodeAction>)

export class DecodePolicy {
  readonly #onError: OnDecodeError
  readonly #report: Report

  /** @param report told of each record that is skipped (I7) */
  constructor(onError: OnDecodeError, report: Report) {
    this.#onError = onError
    this.#report = report
  }

  /**
   * Decodes a record.
   * @param raw the same record as it was read
   * @returns whether it is to be delivered; otherwise it counts as done
   * @throws {DecodeError} when the policy is to fail; whatever the function of the program throws
   */
  async admits(record: ConsumerRecord<unknown, unknown>, raw: ConsumerRecord): Promise<boolean> {
    const error = damageOf(record)
    if (error === undefined) return true
    const action = typeof this.#onError === 'function' ? await this.#onError(error, raw) : this.#onError
    if (action !== 'skip') throw error
    const { topic, partition, offset } = raw
    this.#report(`A record was skipped: ${error.code}: ${error.message}`, {
      event: 'record.skipped',
      code: error.code,
      topic,
      partition,
      offset: String(offset),
    })
    return false
  }
}

/** What is wrong with its key or value. */
function damageOf(record: ConsumerRecord<unknown, unknown>): DecodeError | undefined {
  try {
    void record.key
    void record.value
    return undefined
  } catch (error) {
    if (error instanceof DecodeError) return error
    throw error
  }
}
