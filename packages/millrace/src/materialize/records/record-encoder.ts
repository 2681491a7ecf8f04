/** What turns stored documents into records: one implementation for each message format. */
import { ProtocolViolationError } from '../../errors/index.ts'
import type { StoredDocument } from '../wire/stored-document.ts'
import type { BatchBuilder } from './batch-builder.ts'
import type { RecordFields } from './fields.ts'

export interface RecordEncoder {
  /**
   * Adds the record of a document: a tombstone for one that is deleted.
   * @throws {ProtocolViolationError} {EncodeError}
   */
  encode(document: StoredDocument, into: BatchBuilder): void
}

/** @throws {ProtocolViolationError} unless there is an element for each field */
export function checkElements({ key, values, docStart, isDelete }: StoredDocument, fields: RecordFields): void {
  const hasAll =
    key.count === fields.keyCount &&
    (isDelete || (values.count === fields.valueCount && docStart >= 0 === fields.hasDocument))
  if (!hasAll)
    throw new ProtocolViolationError(
      `Cannot store a document with ${key.count} key elements, ${values.count} values and ${docStart < 0 ? 'no' : 'a'} root document as its binding has ${fields.keyCount}, ${fields.valueCount} and ${fields.hasDocument ? 'one' : 'none'}`,
    )
}
