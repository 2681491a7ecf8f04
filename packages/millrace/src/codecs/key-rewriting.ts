/**
 * Keys with schemas that mean something else where they are written: of another registry, or of another format. Values that no stage
 * changes are seen to by `documents.ts`; keys by this, as most pipelines look at no key.
 */
import type { KeyCodec } from '../contracts/codec.ts'
import { preparing, type Preparing } from '../contracts/preparing.ts'
import type { Batch, Payload } from '../records/batch.ts'

export interface KeyRewriting extends Preparing {
  /** Format of the keys that are read. */
  readonly name: string
  /** The key of a row as it is to be written. @throws {DecodeError} {EncodeError} */
  rewrite(key: Buffer, batch: Batch, row: number): Payload
}

/** Undefined where keys pass as the bytes that came in: those without a schema, and those with schemas of the same registry. */
export function keyRewriting(from: KeyCodec | undefined, to: KeyCodec | undefined): KeyRewriting | undefined {
  if (from?.wire === undefined || to?.wire === undefined || from.wire === to.wire) return undefined
  const translation = to.translation?.(from)
  if (translation !== undefined)
    return {
      name: from.name,
      prepare: translation.prepare?.bind(translation),
      rewrite: (key, batch, row) => translation.translate(key, batch, row),
    }
  return {
    name: from.name,
    prepare: preparing([from, to]),
    rewrite: (key, batch, row) => to.encode(from.decode(key, batch, row)),
  }
}

/** Rewrites the keys that no stage has made. @param failed given what is wrong with a row, which must not go out then */
export function rewriteKeys(
  batch: Batch,
  rewriting: KeyRewriting,
  failed: (row: number, cause: unknown) => void,
): void {
  const keys = (batch.keys ??= Array.from({ length: batch.length }, () => undefined))
  for (let row = 0; row < batch.length; row++) {
    if (keys[row] !== undefined) continue
    const key = batch.key(row)
    if (key === null) continue
    try {
      keys[row] = rewriting.rewrite(key, batch, row)
    } catch (cause) {
      failed(row, cause)
    }
  }
}
