/**
 * Records in message format `JSON`: key and value are objects of the selected fields, the root document is a string.
 */
import type { Elements, StoredDocument } from '../wire/stored-document.ts'
import { CLOSE_OBJECT } from '../wire/json-scanner.ts'
import type { BatchBuilder } from './batch-builder.ts'
import { DOCUMENT, type FieldSlot, type RecordFields } from './fields.ts'
import { checkElements, type RecordEncoder } from './record-encoder.ts'
import type { RecordText } from './record-text.ts'

export class JsonRecords implements RecordEncoder {
  readonly #fields: RecordFields

  constructor(fields: RecordFields) {
    this.#fields = fields
  }

  encode(document: StoredDocument, into: BatchBuilder): void {
    const fields = this.#fields
    checkElements(document, fields)
    into.beginKey()
    writeObject(fields.key, fields.keyCount, document, into.text)
    if (document.isDelete) return into.endTombstone()
    into.beginValue()
    writeObject(fields.value, fields.keyCount, document, into.text)
    into.end()
  }
}

/** Some fields of a document as a JSON object. */
export function writeObject(
  slots: readonly FieldSlot[],
  keyCount: number,
  document: StoredDocument,
  text: RecordText,
): void {
  for (let i = 0; i < slots.length; i++) {
    const { element, prefix } = slots[i]!
    text.raw(prefix)
    if (element === DOCUMENT) text.string(document.bytes, document.docStart, document.docEnd)
    else if (element < keyCount) writeElement(document.key, element, text)
    else writeElement(document.values, element - keyCount, text)
  }
  text.byte(CLOSE_OBJECT)
}

function writeElement(elements: Elements, index: number, text: RecordText): void {
  const start = elements.starts[index]!
  const end = elements.ends[index]!
  if (elements.isPacked) text.tupleElement(elements.bytes, start, end)
  else text.json(elements.bytes, start, end)
}
