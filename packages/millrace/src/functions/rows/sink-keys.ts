/** Keys of the rows that a Kafka stage writes: from a column, or those that came in, with the schemas of its sink. */
import { keyFromField } from '../../codecs/key-field.ts'
import { keyRewriting, type KeyRewriting, rewriteKeys } from '../../codecs/key-rewriting.ts'
import type { KeyCodec } from '../../contracts/codec.ts'
import type { FunctionContext } from '../../contracts/functions.ts'
import type { RowFailed } from '../../contracts/stage.ts'
import { ConfigError, DecodeError, EncodeError, RegistryError } from '../../errors/index.ts'
import type { Batch, Payload } from '../../records/batch.ts'
import { rowFormats, unreadable, unwritable } from './kafka-rows.ts'

/**
 * How the keys that no stage makes get the schemas of the sink. Batches do not tell which source they came from, so all sources have to
 * agree.
 * @throws {ConfigError} where they do not
 */
export function rewritingOf(
  { sources, stage }: Pick<FunctionContext, 'sources' | 'stage'>,
  to: KeyCodec | undefined,
): KeyRewriting | undefined {
  if (to?.wire === undefined) return undefined
  const from = sources().map(({ keyCodec, keySchema }) => rowFormats({ valueCodec: 'json', keyCodec, keySchema }).keys)
  const rewritings = from.map((keys) => keyRewriting(keys, to))
  if (rewritings.every((one) => one === undefined)) return undefined
  if (new Set(from.map((keys) => keys?.wire)).size > 1)
    throw new ConfigError(
      `Cannot write keys with a schema in stage "${stage}" as its sources read keys of different registries or formats: set key_field, or give each source a sink of its own`,
    )
  return rewritings[0]
}

/** Rewrites the keys that no stage has made. @param failed told of rows that cannot be written; without it the first one is thrown */
export function fillRewritten(batch: Batch, rewriting: KeyRewriting, failed: RowFailed | undefined): void {
  rewriteKeys(batch, rewriting, (row, cause) => {
    if (cause instanceof RegistryError) throw cause
    const error =
      cause instanceof DecodeError ? unreadable(batch, row, rewriting, cause) : unwritable(batch, row, cause)
    if (failed === undefined) throw error
    failed(row, error)
  })
}

/** Sets the keys of all rows but tombstones, which keep their own: they have no column to take one from. */
export function fillKeys(batch: Batch, path: readonly string[], keys: KeyCodec, failed: RowFailed | undefined): void {
  batch.keys = Array.from({ length: batch.length }, (_, row) => {
    try {
      return batch.isTombstone(row) ? undefined : keyOfRow(batch, row, path, keys)
    } catch (error) {
      if (failed === undefined || !(error instanceof EncodeError)) throw error
      failed(row, error)
      return undefined
    }
  })
}

function keyOfRow(batch: Batch, row: number, path: readonly string[], keys: KeyCodec): Payload {
  try {
    return keyFromField(batch, row, path, keys)
  } catch (cause) {
    throw unwritable(batch, row, cause)
  }
}
