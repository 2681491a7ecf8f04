/**
 * What a message is, and its content: one reader for each codec, over the bytes of `Frames`.
 */
import { ProtocolViolationError } from '../../errors/index.ts'
import type { Codec } from './frames.ts'
import { CLOSE_OBJECT, COLON, COMMA, JsonScanner, OPEN_OBJECT, QUOTE } from './json-scanner.ts'
import { normalizeJson } from './json-messages.ts'
import { MESSAGES } from './message-types.ts'
import { REQUEST_KINDS, type RequestKind, type Response } from '../messages.ts'
import { BYTES, decodeProtobuf, encodeProtobuf, type MessageObject, ProtobufReader } from './protobuf.ts'
import { StoredDocument } from './stored-document.ts'

export interface RequestReader {
  /** The kind of the message between two positions; `unknown` for one of a newer runtime. The other methods are about it. */
  kindOf(bytes: Buffer, start: number, end: number): RequestKind | 'unknown'
  /** The content of a request that is no store. @throws {ProtocolViolationError} */
  read(): MessageObject
  /** The content of a store request; valid until the next one. @throws {ProtocolViolationError} */
  readStore(): StoredDocument
}

export function requestReader(codec: Codec): RequestReader {
  return codec === 'proto' ? new ProtobufRequests() : new JsonRequests()
}

const BODIES = {
  spec: 'SpecRequest',
  validate: 'ValidateRequest',
  apply: 'ApplyRequest',
  open: 'OpenRequest',
  load: 'LoadRequest',
  flush: 'FlushRequest',
  store: 'StoreRequest',
  startCommit: 'StartCommitRequest',
  acknowledge: 'AcknowledgeRequest',
} as const satisfies { readonly [kind in RequestKind]: keyof typeof MESSAGES }

const KINDS_BY_TAG: readonly (RequestKind | undefined)[] = [
  undefined,
  ...Object.entries(MESSAGES.Request)
    .toSorted(([, [a]], [, [b]]) => a - b)
    .map(([kind]) => kind as RequestKind), // the keys of `Request`
]

class ProtobufRequests implements RequestReader {
  readonly #reader = new ProtobufReader(Buffer.alloc(0), 0, 0)
  readonly #document = new StoredDocument()
  #kind: RequestKind | 'unknown' = 'unknown'
  #start = 0
  #end = 0

  kindOf(bytes: Buffer, start: number, end: number): RequestKind | 'unknown' {
    const reader = this.#reader
    reader.reset(bytes, start, end)
    this.#kind = 'unknown'
    while (!reader.isAtEnd) {
      const tag = reader.varint()
      const wireType = tag % 8
      const kind = KINDS_BY_TAG[(tag - wireType) / 8]
      if (kind === undefined || wireType !== BYTES) {
        reader.skip(wireType)
        continue
      }
      if (this.#kind !== 'unknown') throw twoKinds(this.#kind, kind)
      const length = reader.length()
      this.#kind = kind
      this.#start = reader.position
      reader.position += length
      this.#end = reader.position
    }
    return this.#kind
  }

  read(): MessageObject {
    return this.#kind === 'unknown'
      ? {}
      : decodeProtobuf(BODIES[this.#kind], this.#reader.bytes, this.#start, this.#end)
  }

  readStore(): StoredDocument {
    this.#document.readProtobuf(this.#reader.bytes, this.#start, this.#end)
    return this.#document
  }
}

const STORE_PREFIX = Buffer.from('{"store":{')

class JsonRequests implements RequestReader {
  readonly #scanner = new JsonScanner()
  readonly #document = new StoredDocument()
  #bytes: Buffer = Buffer.alloc(0)
  #kind: RequestKind | 'unknown' = 'unknown'
  #start = 0
  #end = 0
  /** Whether the request is a store whose end is not known yet, as it was recognized by how it begins. */
  #isOpen = false

  kindOf(bytes: Buffer, start: number, end: number): RequestKind | 'unknown' {
    this.#bytes = bytes
    this.#isOpen = isStore(bytes, start, end)
    if (this.#isOpen) {
      this.#kind = 'store'
      this.#start = start + STORE_PREFIX.length - 1
      this.#end = end
    } else this.#find(start, end)
    return this.#kind
  }

  /** Looks at all names of the message. */
  #find(start: number, end: number): void {
    const scanner = this.#scanner
    const bytes = this.#bytes
    this.#kind = 'unknown'
    scanner.reset(bytes, end)
    let at = scanner.expect(scanner.blanks(start), OPEN_OBJECT)
    const isEmpty = at < end && bytes[at] === CLOSE_OBJECT
    while (!isEmpty) {
      if (at >= end || bytes[at] !== QUOTE) throw scanner.unexpected(at)
      const name = at + 1
      at = scanner.string(at)
      const kind = kindNamed(bytes.toString('utf8', name, at - 1))
      at = scanner.expect(scanner.blanks(at), COLON)
      const from = at
      at = scanner.value(at)
      // `null` stands for a field that is absent.
      if (kind !== undefined && bytes[from] !== 0x6e) {
        if (this.#kind !== 'unknown') throw twoKinds(this.#kind, kind)
        this.#kind = kind
        this.#start = from
        this.#end = at
      }
      at = scanner.blanks(at)
      if (at < end && bytes[at] === CLOSE_OBJECT) break
      at = scanner.expect(at, COMMA)
    }
    if (scanner.blanks(at + 1) !== end) throw scanner.unexpected(at + 1)
  }

  read(): MessageObject {
    if (this.#kind === 'unknown') return {}
    const text = this.#bytes.toString('utf8', this.#start, this.#end)
    return normalizeJson(BODIES[this.#kind], JSON.parse(text), this.#kind)
  }

  readStore(): StoredDocument {
    const after = this.#document.readJson(this.#bytes, this.#start, this.#end)
    if (this.#isOpen) this.#expectClosed(after)
    return this.#document
  }

  /** Behind a store that was recognized by how it begins come a brace and the end; or `$internal`, which is skipped. */
  #expectClosed(after: number): void {
    const scanner = this.#scanner
    scanner.reset(this.#bytes, this.#end)
    let at = scanner.blanks(after)
    while (at < this.#end && this.#bytes[at] === COMMA) {
      at = scanner.expect(at, COMMA)
      if (at >= this.#end || this.#bytes[at] !== QUOTE) throw scanner.unexpected(at)
      const name = at + 1
      at = scanner.string(at)
      const kind = kindNamed(this.#bytes.toString('utf8', name, at - 1))
      if (kind !== undefined) throw twoKinds('store', kind)
      at = scanner.blanks(scanner.value(scanner.expect(scanner.blanks(at), COLON)))
    }
    if (scanner.expect(at, CLOSE_OBJECT) !== this.#end) throw scanner.unexpected(at + 1)
  }
}

function isStore(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < STORE_PREFIX.length) return false
  for (let i = 0; i < STORE_PREFIX.length; i++) if (bytes[start + i] !== STORE_PREFIX[i]) return false
  return true
}

function kindNamed(name: string): RequestKind | undefined {
  const camel = name === 'start_commit' ? 'startCommit' : name
  return REQUEST_KINDS.find((kind) => kind === camel)
}

function twoKinds(first: RequestKind, second: RequestKind): ProtocolViolationError {
  return new ProtocolViolationError(
    `Cannot handle a message that has two requests, ${first} and ${second}: exactly one is expected`,
  )
}

const LF = Buffer.from('\n')

/** A response as it is written, frame included. */
export function encodeResponse(codec: Codec, response: Response): Buffer {
  if (codec === 'json') return Buffer.concat([Buffer.from(JSON.stringify(response)), LF])
  const body = encodeProtobuf('Response', response)
  const frame = Buffer.alloc(4)
  frame.writeUInt32LE(body.length)
  return Buffer.concat([frame, body])
}
