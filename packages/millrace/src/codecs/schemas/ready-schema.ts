/** What the three formats have in common: a schema that was parsed, and can read and write values. */
import { isExact } from '../../records/exact-numbers.ts'
import type { ReferencedSchema } from '../../contracts/schemas.ts'

/** A schema to parse. */
export interface SchemaSource {
  readonly text: string
  /** Those that it refers to, each before those that need it. */
  readonly references: readonly ReferencedSchema[]
  /** Protobuf: the message to write, and to read where nothing else names one; the first one of the file when undefined. */
  readonly message?: string | undefined
  /** What numbers become that no double may hold; they keep their digits when it is omitted. */
  readonly numbers?: NumberReader | undefined
}

/** A number of decimal digits, as documents or programs have it. */
export type NumberReader = (digits: string) => unknown

export interface ReadySchema {
  /** Full name of the record or message; empty where the schema gives it none. */
  readonly name: string
  /**
   * Reads the data from `start` on: a document as stages see it.
   * @param framed whether message indexes come first, as in Confluent's wire format; Protobuf only
   * @throws {FieldError}
   */
  read(bytes: Buffer, start: number, framed: boolean): unknown
  /** The same as the value that it is, where that is no object; `read` where they are all objects. */
  readValue?(bytes: Buffer, start: number): unknown
  /**
   * Writes the data of a document.
   * @param before bytes to leave free at the start, for the schema id
   * @throws {FieldError}
   */
  write(document: unknown, before: number, framed: boolean): Buffer
}

/** A format with its library loaded. */
export interface SchemaFormat {
  /** @throws {Error} why the schema cannot be used, in one line */
  parse(source: SchemaSource): ReadySchema
  /**
   * A schema that reads what was written with another one: fields are matched by name, missing ones get their defaults.
   * @throws {Error} why it cannot
   */
  evolve(writer: ReadySchema, reader: ReadySchema): ReadySchema
}

/** A field that cannot be read or written, with its place in the value. */
export class FieldError extends Error {
  /** Names of fields, and indexes in brackets, with dots between; empty for the value itself. */
  readonly path: string
  /** @param path names and indexes from the outermost down */
  constructor(path: readonly (string | number)[], reason: string) {
    const place = path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('')
    super(place === '' ? reason : `field "${place}" ${reason}`)
    this.path = place
  }
}

/** A value in a message, short and in one line. */
export function shown(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (Buffer.isBuffer(value)) return `${value.length} bytes`
  const text = JSON.stringify(value) ?? typeof value
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}

/** The document of a value: itself where it is an object, otherwise its only field. */
export function documentOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExact(value) ? value : { value }
}
