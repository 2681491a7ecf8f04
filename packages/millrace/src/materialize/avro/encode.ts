/**
 * Writes values in Avro's binary encoding.
 *
 * Values are tried against their schema: an integer may be a string, a string a double, and so on. What does not conform fails with
 * its place.
 */
import { EncodeError } from '../../errors/index.ts'
import { isExact } from '../../records/exact-numbers.ts'
import { RecordText } from '../records/record-text.ts'
import { daysOf, durationOf, microsecondsOf } from './logical-values.ts'
import { type AvroRecord, type AvroSchema, EXTRA } from './schema.ts'
import { byBytes } from './shape.ts'
import { canonicalForm } from './canonical.ts'

const MIN_LONG = -(2n ** 63n)
const MAX_LONG = 2n ** 63n - 1n
/** Twice as much is exact as a double. */
const SAFE = 2 ** 52
const LONGEST_SHOWN = 200

type Members = Readonly<Record<string, unknown>>

export class AvroEncoder {
  readonly #text = new RecordText(Buffer.allocUnsafeSlow(1024))
  #to: RecordText = this.#text
  readonly #path: (string | number)[] = []
  #misfit: { readonly pointer: string; readonly value: unknown; readonly schema: AvroSchema } | undefined

  /**
   * Appends a datum.
   * @param value as `parseExactly` reads it
   * @throws {EncodeError} when it does not conform to the schema
   */
  encode(schema: AvroSchema, value: unknown, to: RecordText): void {
    this.#to = to
    this.#path.length = 0
    this.#misfit = undefined
    if (this.#write(schema, value)) return
    const { pointer, value: found, schema: wanted } = this.#misfit!
    const shown = JSON.stringify(found)
    throw new EncodeError(
      `at "${pointer}", value ${shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}...` : shown} does not conform to AVRO schema ${canonicalForm(wanted)}`,
    )
  }

  /** @returns false when it does not conform; what was written of it then has to be taken back */
  #write(schema: AvroSchema, value: unknown): boolean {
    const { kind } = schema
    if (kind === 'nullable') return this.#nullable(schema.value, value)
    if (kind === 'raw') return this.#raw(value)
    if (kind === 'array') return Array.isArray(value) ? this.#array(schema.items, value) : this.#fail(schema, value)
    if (kind === 'map')
      return isMembers(value) ? this.#map(schema.values, Object.entries(value)) : this.#fail(schema, value)
    if (kind === 'record') return isMembers(value) ? this.#record(schema, value) : this.#fail(schema, value)
    return this.#scalar(kind, value) || this.#fail(schema, value)
  }

  #fail(schema: AvroSchema, value: unknown): false {
    const tokens = this.#path.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    this.#misfit = { pointer: tokens.join(''), value, schema }
    return false
  }

  #nullable(schema: AvroSchema, value: unknown): boolean {
    const rewind = this.#to.position
    this.#long(0)
    if (this.#write(schema, value)) return true
    this.#to.position = rewind
    if (value !== null) return false
    this.#long(1)
    return true
  }

  #scalar(kind: Exclude<AvroSchema['kind'], 'nullable' | 'raw' | 'array' | 'map' | 'record'>, value: unknown): boolean {
    switch (kind) {
      case 'null':
        return value === null
      case 'boolean':
        if (typeof value !== 'boolean') return false
        this.#to.byte(value ? 1 : 0)
        return true
      case 'long':
        return this.#integer(value)
      case 'double':
        return this.#double(value)
      case 'string':
        return this.#textOf(value)
      case 'uuid':
        return typeof value === 'string' && this.#string(value)
      case 'date':
        return this.#number(typeof value === 'string' ? daysOf(value) : undefined)
      case 'timestamp':
        return this.#number(typeof value === 'string' ? microsecondsOf(value) : undefined)
      case 'duration': {
        const bytes = typeof value === 'string' ? durationOf(value) : undefined
        if (bytes !== undefined) this.#to.raw(bytes)
        return bytes !== undefined
      }
    }
  }

  #number(value: number | bigint | undefined): boolean {
    if (value === undefined) return false
    this.#long(value)
    return true
  }

  #integer(value: unknown): boolean {
    const integer = integerOf(value)
    if (integer === undefined || integer < MIN_LONG || integer > MAX_LONG) return false
    this.#long(integer)
    return true
  }

  #double(value: unknown): boolean {
    let number: number
    if (typeof value === 'number') number = value
    else if (isExact(value)) number = Number(value.rawJSON)
    else if (typeof value === 'string') number = parseDouble(value)
    else return false
    this.#to.reserve(8)
    this.#to.bytes.writeDoubleLE(number, this.#to.position)
    this.#to.position += 8
    return true
  }

  #textOf(value: unknown): boolean {
    if (typeof value === 'string') return this.#string(value)
    const integer = integerOf(value)
    return integer !== undefined && this.#string(String(integer))
  }

  #raw(value: unknown): boolean {
    const text = new RecordText(Buffer.allocUnsafe(256))
    text.tree(value)
    this.#long(text.position)
    this.#to.raw(text.bytes.subarray(0, text.position))
    return true
  }

  #string(text: string): true {
    const bytes = Buffer.from(text)
    this.#long(bytes.length)
    this.#to.raw(bytes)
    return true
  }

  #array(items: AvroSchema, values: readonly unknown[]): boolean {
    if (values.length > 0) this.#long(values.length)
    for (const [i, value] of values.entries()) if (!this.#part(i, items, value)) return false
    this.#to.byte(0)
    return true
  }

  #map(values: AvroSchema, members: readonly (readonly [string, unknown])[]): boolean {
    if (members.length > 0) this.#long(members.length)
    for (const [name, value] of members.toSorted(([a], [b]) => byBytes(a, b))) {
      this.#string(name)
      if (!this.#part(name, values, value)) return false
    }
    this.#to.byte(0)
    return true
  }

  /** Members without a field go to `_flow_extra`; without that field there are none, by the schema of the collection. */
  #record({ fields }: AvroRecord, members: Members): boolean {
    for (const { name, schema, defaultValue } of fields) {
      if (name === EXTRA && schema.kind === 'map') {
        const others = Object.entries(members).filter(([member]) => !fields.some((field) => field.name === member))
        if (!this.#map(schema.values, others)) return false
        continue
      }
      const value = Object.hasOwn(members, name) ? members[name] : (defaultValue?.value ?? null)
      if (!this.#part(name, schema, value)) return false
    }
    return true
  }

  #part(token: string | number, schema: AvroSchema, value: unknown): boolean {
    this.#path.push(token)
    const conforms = this.#write(schema, value)
    this.#path.pop()
    return conforms
  }

  /** Zigzag, 7 bits per byte. */
  #long(value: number | bigint): void {
    this.#to.reserve(10)
    const { bytes } = this.#to
    let { position } = this.#to
    if (typeof value === 'number' && Math.abs(value) < SAFE) {
      let rest = value < 0 ? -2 * value - 1 : 2 * value
      for (; rest > 127; rest = Math.floor(rest / 128)) bytes[position++] = (rest % 128) | 128
      bytes[position++] = rest
    } else {
      const integer = BigInt(value)
      let rest = integer < 0n ? -2n * integer - 1n : 2n * integer
      for (; rest > 127n; rest >>= 7n) bytes[position++] = Number(rest & 127n) | 128
      bytes[position++] = Number(rest)
    }
    this.#to.position = position
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExact(value)
}

/** Integers, and floats without a fraction. */
function integerOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? value : Number.isInteger(value) ? BigInt(value) : undefined
  if (!isExact(value)) return undefined
  if (/^-?\d+$/.test(value.rawJSON)) return BigInt(value.rawJSON)
  const number = Number(value.rawJSON)
  return Number.isInteger(number) ? BigInt(number) : undefined
}

const DOUBLE = /^[+-]?(?:inf|infinity|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i

function parseDouble(text: string): number {
  if (!DOUBLE.test(text)) throw new EncodeError(`failed to parse string ${JSON.stringify(text)} into double`)
  const number = Number(text)
  if (!Number.isNaN(number)) return number
  const [, sign, word] = /^([+-]?)(.*)$/.exec(text)!
  return word!.toLowerCase() === 'nan' ? Number.NaN : sign === '-' ? -Infinity : Infinity
}
