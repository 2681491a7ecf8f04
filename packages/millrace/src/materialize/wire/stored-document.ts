/**
 * Reads `store` requests in place: where their keys, values and document lie. This is the hot path: no object per request.
 *
 * | field | protobuf | JSON |
 * |---|---|---|
 * | key, values | packed tuples | arrays, or packed tuples in base64 from older runtimes |
 * | doc | JSON text | JSON, inline |
 *
 * The packed form counts when both are there, as it is exact.
 */
import { ProtocolViolationError } from '../../errors/index.ts'
import { CLOSE_LIST, CLOSE_OBJECT, COLON, COMMA, JsonScanner, OPEN_LIST, OPEN_OBJECT, QUOTE } from './json-scanner.ts'
import { MESSAGES } from './message-types.ts'
import { BYTES, ProtobufReader, VARINT } from './protobuf.ts'
import { tupleElementEnd } from './tuple.ts'

/** The elements of a key, or of the values: where each lies. */
export class Elements {
  bytes: Buffer = Buffer.alloc(0)
  /** Whether they are elements of a packed tuple; JSON otherwise. */
  isPacked = false
  count = 0
  starts = new Int32Array(64)
  ends = new Int32Array(64)

  add(start: number, end: number): void {
    if (this.count === this.starts.length) {
      this.starts = grown(this.starts)
      this.ends = grown(this.ends)
    }
    this.starts[this.count] = start
    this.ends[this.count++] = end
  }
}

function grown(from: Int32Array): Int32Array<ArrayBuffer> {
  const to = new Int32Array(from.length * 2)
  to.set(from)
  return to
}

const STORE = MESSAGES.StoreRequest
const scanner = new JsonScanner()
const reader = new ProtobufReader(Buffer.alloc(0), 0, 0)

/** One `store` request; used again for the next one. Positions are valid as long as the bytes of the request are. */
export class StoredDocument {
  binding = 0
  isDelete = false
  readonly key = new Elements()
  readonly values = new Elements()
  bytes: Buffer = Buffer.alloc(0)
  /** The text of the whole document; -1 where there is none. */
  docStart = -1
  docEnd = -1

  #clear(bytes: Buffer): void {
    this.binding = 0
    this.isDelete = false
    this.bytes = bytes
    this.docStart = -1
    this.docEnd = -1
    for (const elements of [this.key, this.values]) {
      elements.count = 0
      elements.isPacked = false
    }
  }

  /** Reads the body of a request in protobuf. @throws {ProtocolViolationError} */
  readProtobuf(bytes: Buffer, start: number, end: number): void {
    this.#clear(bytes)
    reader.reset(bytes, start, end)
    while (reader.position < end) {
      const tag = reader.varint()
      const wireType = tag & 7
      if (wireType === VARINT) {
        const value = reader.varint()
        if (tag >> 3 === STORE.binding[0]) this.binding = value
        else if (tag >> 3 === STORE.delete[0]) this.isDelete = value !== 0
        continue
      }
      if (wireType !== BYTES) {
        reader.skip(wireType)
        continue
      }
      const length = reader.length()
      const from = reader.position
      const to = from + length
      reader.position = to
      switch (tag >> 3) {
        case STORE.key[0]:
          if (length > 0 && !this.key.isPacked) this.#readArray(this.key, bytes, from, to)
          break
        case STORE.keyPacked[0]:
          locateTuple(this.key, bytes, from, to)
          break
        case STORE.values[0]:
          if (length > 0 && !this.values.isPacked) this.#readArray(this.values, bytes, from, to)
          break
        case STORE.valuesPacked[0]:
          locateTuple(this.values, bytes, from, to)
          break
        case STORE.doc[0]:
          this.docStart = length === 0 ? -1 : from
          this.docEnd = to
          break
        default:
      }
    }
  }

  #readArray(into: Elements, bytes: Buffer, start: number, end: number): void {
    scanner.reset(bytes, end)
    const from = scanner.blanks(start)
    const to = locateArray(into, bytes, from)
    if (scanner.blanks(to) !== end) throw scanner.unexpected(to)
  }

  /**
   * Reads the body of a request in JSON, which begins at its brace.
   * @returns the position behind its last brace
   * @throws {ProtocolViolationError}
   */
  readJson(bytes: Buffer, start: number, end: number): number {
    this.#clear(bytes)
    scanner.reset(bytes, end)
    let at = scanner.expect(start, OPEN_OBJECT)
    if (at < end && bytes[at] === CLOSE_OBJECT) return at + 1
    for (;;) {
      if (at >= end || bytes[at] !== QUOTE) throw scanner.unexpected(at)
      const name = at + 1
      at = scanner.string(at)
      const field = fieldNamed(bytes, name, at - 1)
      at = scanner.expect(scanner.blanks(at), COLON)
      at = scanner.blanks(this.#readField(field, bytes, at))
      if (at < end && bytes[at] === CLOSE_OBJECT) return at + 1
      at = scanner.expect(at, COMMA)
    }
  }

  #readField(field: number, bytes: Buffer, at: number): number {
    const end = field === STORE.key[0] || field === STORE.values[0] ? -1 : scanner.value(at)
    // `null` stands for a field that is absent.
    if (bytes[at] === 0x6e) return end < 0 ? scanner.value(at) : end
    switch (field) {
      case STORE.binding[0]:
        this.binding = Number(bytes.toString('latin1', at, end).replaceAll('"', ''))
        break
      case STORE.key[0]:
        return this.key.isPacked ? scanner.value(at) : locateArray(this.key, bytes, at)
      case STORE.values[0]:
        return this.values.isPacked ? scanner.value(at) : locateArray(this.values, bytes, at)
      case STORE.keyPacked[0]:
        locateBase64(this.key, bytes, at, end)
        break
      case STORE.valuesPacked[0]:
        locateBase64(this.values, bytes, at, end)
        break
      case STORE.doc[0]:
        this.docStart = at
        this.docEnd = end
        break
      case STORE.delete[0]:
        this.isDelete = bytes[at] === 0x74
        break
      default:
    }
    return end
  }
}

function locateTuple(into: Elements, bytes: Buffer, start: number, end: number): void {
  into.bytes = bytes
  into.isPacked = true
  into.count = 0
  for (let at = start; at < end;) {
    const next = tupleElementEnd(bytes, at, end)
    into.add(at, next)
    at = next
  }
}

function locateArray(into: Elements, bytes: Buffer, start: number): number {
  into.bytes = bytes
  into.isPacked = false
  into.count = 0
  let at = scanner.expect(start, OPEN_LIST)
  if (at < scanner.end && bytes[at] === CLOSE_LIST) return at + 1
  for (;;) {
    const next = scanner.value(at)
    into.add(at, next)
    at = scanner.blanks(next)
    if (at < scanner.end && bytes[at] === CLOSE_LIST) return at + 1
    at = scanner.expect(at, COMMA)
  }
}

function locateBase64(into: Elements, bytes: Buffer, start: number, end: number): void {
  if (bytes[start] !== QUOTE)
    throw new ProtocolViolationError('Cannot decode a store request as a packed tuple must be a string in base64')
  const packed = Buffer.from(bytes.toString('latin1', start + 1, end - 1), 'base64')
  locateTuple(into, packed, 0, packed.length)
}

/** Both spellings of the names; `doc_json` and the like are the names of protobuf. */
const FIELDS_BY_NAME: readonly (readonly [name: Buffer, tag: number])[] = Object.entries(STORE).flatMap(
  ([name, [tag]]) => {
    const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    return [...new Set([name, snake, `${snake}_json`])].map((spelling) => [Buffer.from(spelling), tag] as const)
  },
)

function fieldNamed(bytes: Buffer, start: number, end: number): number {
  next: for (let i = 0; i < FIELDS_BY_NAME.length; i++) {
    const name = FIELDS_BY_NAME[i]![0]
    if (name.length !== end - start) continue
    for (let at = 0; at < name.length; at++) if (name[at] !== bytes[start + at]) continue next
    return FIELDS_BY_NAME[i]![1]
  }
  return 0
}
