/**
 * The digits of a batch as its codecs read them. Decoding makes doubles of numbers and counts those that it rounds; a row
 * that a stage has changed is decoded again, with all digits, when it is written.
 */
import type { ExactDecoding } from '../contracts/codec.ts'
import { isObject } from '../options/values.ts'
import type { Batch, Digits } from '../records/batch.ts'
import { exactValue, isExact, mayDifferInValue } from '../records/exact-numbers.ts'
import { NO_DIGITS } from '../records/row-digits.ts'

/** Of JSON, in which the bytes tell whether digits may differ. */
export const JSON_DECODING: ExactDecoding = {
  mayDiffer: (bytes) => mayDifferInValue(bytes),
  decode: (bytes) => exactValue(bytes),
}

/** How a batch is decoded. */
export interface DigitSources {
  /** Undefined where doubles hold all numbers of the format. */
  readonly values: ExactDecoding | undefined
  /** Field of a document for a value that is no object. */
  readonly wrapper: string
  /** Of keys, where documents have them. */
  readonly keys?: ExactDecoding | undefined
  /** What a document has of a key. */
  readonly withKey?: (key: unknown) => object
}

/** Begins to watch what decoding a batch rounds. @returns to be called afterwards, with the batch */
export function watchDigits({ values, keys, ...places }: DigitSources): (batch: Batch) => void {
  const [roundedValues, roundedKeys] = [values?.rounded, keys?.rounded]
  return (batch) => {
    const ofValues = values?.rounded === roundedValues && roundedValues !== undefined ? undefined : values
    const ofKeys = keys?.rounded === roundedKeys && roundedKeys !== undefined ? undefined : keys
    if (ofKeys === undefined && ofValues === JSON_DECODING) return
    if (ofKeys !== undefined || ofValues !== undefined)
      batch.digits = new DecodedDigits({ values: ofValues, keys: ofKeys, ...places })
    // Rows of the batch may have been decoded before.
    else batch.digits ??= NO_DIGITS
  }
}

class DecodedDigits implements Digits {
  readonly #sources: DigitSources

  constructor(sources: DigitSources) {
    this.#sources = sources
  }

  mayDiffer(batch: Batch, row: number): boolean {
    const { values, keys } = this.#sources
    const value = values === undefined ? null : batch.value(row)
    if (value !== null && values!.mayDiffer(value)) return true
    const key = keys === undefined ? null : batch.key(row)
    return key !== null && keys!.mayDiffer(key)
  }

  exact(batch: Batch, row: number): unknown {
    const { values, keys, wrapper, withKey } = this.#sources
    const value = values === undefined ? null : batch.value(row)
    const key = keys === undefined ? null : batch.key(row)
    const document = value === null ? undefined : exactly(values!, value, batch, row)
    if (key === null) return document
    const own = isObject(document) && !isExact(document) ? document : { [wrapper]: document }
    return { ...own, ...withKey!(exactly(keys!, key, batch, row)) }
  }
}

/** What is not in the format has no numbers: text, for instance, that is taken as it is. */
function exactly(decoding: ExactDecoding, bytes: Buffer, batch: Batch, row: number): unknown {
  try {
    return decoding.decode(bytes, batch, row)
  } catch {
    return undefined
  }
}
