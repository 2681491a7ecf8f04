/**
 * Writes documents in Avro's binary encoding, by the types that `types.ts` makes.
 *
 * Takes what the reader returns, and what people write in its place: branches of unions with or without their name, longs as
 * numbers, exact numbers, BigInts or text, bytes as base64 or buffers, times as numbers, ISO 8601 text or dates. A field that is missing gets its
 * default, or null where its type allows it. A field that the schema does not have is refused, as it would be lost (I7).
 */
import type { Type } from 'avsc'
import { digitsOf, scaledOf, wholeOf } from '../../../records/exact-numbers.ts'
import { FieldError, shown } from '../ready-schema.ts'
import type { ByteWriter } from './byte-writer.ts'
import { kindOf, type TimeUnit } from './raw-types.ts'

export type Path = (string | number)[]
/** Writes a value. @throws {FieldError} with its path */
export type Write = (out: ByteWriter, value: unknown, path: Path) => void

/** The types of `avsc`, as far as the writer looks at them. */
interface Shape {
  readonly typeName: string
  readonly name?: string
  readonly branchName?: string
  readonly fields?: readonly { readonly name: string; readonly type: Type; defaultValue(): unknown }[]
  readonly types?: readonly Type[]
  readonly itemsType?: Type
  readonly valuesType?: Type
  readonly symbols?: readonly string[]
  readonly size?: number
  readonly underlyingType?: Type
}

export function writerOf(type: Type, made: Map<Type, Write> = new Map()): Write {
  const known = made.get(type)
  if (known !== undefined) return known
  // Records may contain themselves.
  made.set(type, (out, value, path) => write(out, value, path))
  const write = createWriter(type, made)
  made.set(type, write)
  return write
}

function createWriter(type: Type, made: Map<Type, Write>): Write {
  const kind = kindOf(type)
  const shape = type as unknown as Shape
  const inner = (shape.underlyingType ?? type) as unknown as Shape
  switch (kind?.kind) {
    case 'bytes':
      return bytesWriter(inner.size)
    case 'decimal':
      return decimalWriter(kind.scale, kind.precision, inner.size)
    case 'time':
      return timeWriter(kind.unit, inner.typeName === 'int' ? 32 : 64)
    case 'union':
    case undefined:
      return inner.typeName.startsWith('union:') ? unionWriter(inner, made) : plainWriter(inner, made)
  }
}

function plainWriter(shape: Shape, made: Map<Type, Write>): Write {
  switch (shape.typeName) {
    case 'null':
      return (_out, value, path) => {
        if (value !== null) refuse(path, 'null', value)
      }
    case 'boolean':
      return (out, value, path) => {
        if (typeof value !== 'boolean') refuse(path, 'true or false', value)
        out.byte(value ? 1 : 0)
      }
    case 'int':
      return (out, value, path) => {
        if (typeof value === 'number' && value === (value | 0)) out.int(value)
        else out.long(whole(value, 32, path))
      }
    case 'long':
      return (out, value, path) => {
        if (typeof value === 'number' && value === (value | 0)) out.int(value)
        else out.long(whole(value, 64, path))
      }
    case 'float':
      return (out, value, path) => {
        const number = double(value, path)
        if (Number.isFinite(number) && !Number.isFinite(Math.fround(number)))
          refuse(path, 'a number that a float holds', value)
        out.float(number)
      }
    case 'double':
      return (out, value, path) => out.double(double(value, path))
    case 'string':
      return (out, value, path) => {
        if (typeof value !== 'string') refuse(path, 'text', value)
        out.text(value)
      }
    case 'enum':
      return enumWriter(shape.symbols!)
    case 'array':
      return arrayWriter(writerOf(shape.itemsType!, made))
    case 'map':
      return mapWriter(writerOf(shape.valuesType!, made))
    case 'record':
    case 'error':
      return recordWriter(shape, made)
    default:
      throw new Error(`it has a type that is not supported: ${shape.typeName}`)
  }
}

function recordWriter({ fields = [], name = '' }: Shape, made: Map<Type, Write>): Write {
  const names = new Set(fields.map((field) => field.name))
  const writers = fields.map((field) => ({
    field: field.name,
    write: writerOf(field.type, made),
    missing: missingValue(field.type, field.defaultValue()),
    // Every object inherits something of that name.
    isInherited: field.name in Object.prototype,
  }))
  return (out, value, path) => {
    if (!isPlainObject(value)) refuse(path, `an object for the record ${name}`, value)
    for (const { field, write, missing, isInherited } of writers) {
      const given = isInherited && !Object.hasOwn(value, field) ? undefined : value[field]
      path.push(field)
      if (given !== undefined) write(out, given, path)
      else if (missing === undefined) throw new FieldError(path, 'is missing and has no default')
      else write(out, missing, path)
      path.pop()
    }
    for (const field in value)
      if (!names.has(field) && value[field] !== undefined)
        throw new FieldError([...path, field], `is not in the schema${name === '' ? '' : ` of ${name}`}`)
  }
}

function missingValue(type: Type, defaultValue: unknown): unknown {
  if (defaultValue !== undefined) return defaultValue
  const { types, underlyingType, typeName } = type as unknown as Shape
  const branches = types ?? (underlyingType as unknown as Shape | undefined)?.types ?? []
  return typeName === 'null' || branches.some((branch) => branch.typeName === 'null') ? null : undefined
}

/**
 * Of several branches that take a value, the first; none of them loses anything of it. A text is text where there is such a branch, unless it
 * is a symbol of an enum: it may look like bytes, a date or a number by chance. An object with the name of a branch as its only field
 * is Avro's own way to name the branch.
 */
function unionWriter({ types = [] }: Shape, made: Map<Type, Write>): Write {
  const branches = types.map((type) => ({ type: type as unknown as Shape, write: writerOf(type, made) }))
  const byName = new Map(branches.map(({ type }, index) => [type.branchName ?? type.typeName, index]))
  const ofNull = byName.get('null')
  const ofText = byName.get('string')
  const textBranches =
    ofText === undefined ? undefined : [...branches.keys()].filter((i) => i === ofText || types[i]!.typeName === 'enum')
  const names = [...byName.keys()].join(', ')
  return (out, value, path) => {
    if (value === null && ofNull !== undefined) return out.int(ofNull)
    const start = out.length
    const depth = path.length
    const attempt = (index: number, given: unknown): FieldError | undefined => {
      try {
        out.int(index)
        branches[index]!.write(out, given, path)
        return undefined
      } catch (error) {
        if (!(error instanceof FieldError)) throw error
        out.length = start
        path.length = depth
        return error
      }
    }
    let only: FieldError | undefined
    if (isPlainObject(value)) {
      const [name, ...more] = Object.keys(value)
      const index = name === undefined || more.length > 0 ? undefined : byName.get(name)
      if (index !== undefined && attempt(index, value[name!]) === undefined) return
    }
    const candidates = typeof value === 'string' && textBranches !== undefined ? textBranches : branches.keys()
    for (const index of candidates) {
      if (branches[index]!.type.typeName === 'null') continue
      const failed = attempt(index, value)
      if (failed === undefined) return
      only = failed
    }
    // With one branch beside null, what it says is more than that none fits.
    if (only !== undefined && branches.length - (ofNull === undefined ? 0 : 1) === 1) throw only
    refuse(path, `one of ${names}`, value)
  }
}

function arrayWriter(write: Write): Write {
  return (out, value, path) => {
    if (!Array.isArray(value)) refuse(path, 'a list', value)
    if (value.length > 0) out.int(value.length)
    for (const [i, element] of value.entries()) {
      path.push(i)
      write(out, element, path)
      path.pop()
    }
    out.byte(0)
  }
}

function mapWriter(write: Write): Write {
  return (out, value, path) => {
    if (!isPlainObject(value)) refuse(path, 'an object', value)
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    if (entries.length > 0) out.int(entries.length)
    for (const [name, item] of entries) {
      out.text(name)
      path.push(name)
      write(out, item, path)
      path.pop()
    }
    out.byte(0)
  }
}

function enumWriter(symbols: readonly string[]): Write {
  const indexes = new Map(symbols.map((symbol, index) => [symbol, index]))
  return (out, value, path) => {
    const index = indexes.get(value as string)
    if (index === undefined) return refuse(path, `one of ${symbols.join(', ')}`, value)
    out.int(index)
  }
}

function bytesWriter(size: number | undefined): Write {
  return (out, value, path) => {
    const bytes = bytesOf(value)
    if (bytes === undefined) return refuse(path, 'base64 text', value)
    if (size === undefined) out.int(bytes.length)
    else if (bytes.length !== size) throw new FieldError(path, `must have ${size} bytes: it has ${bytes.length}`)
    out.bytes(bytes)
  }
}

function decimalWriter(scale: number, precision: number, size: number | undefined): Write {
  const limit = 10n ** BigInt(precision)
  return (out, value, path) => {
    const digits = digitsOf(value)
    if (digits === undefined) return refuse(path, 'a number', value)
    const unscaled = scaledOf(digits, scale)
    if (unscaled === undefined)
      throw new FieldError(path, `must have at most ${scale} digits behind the point: current value is ${digits}`)
    if (unscaled >= limit || -unscaled >= limit)
      throw new FieldError(path, `must have at most ${precision} digits: current value is ${digits}`)
    const bytes = twosComplement(unscaled, size)
    if (bytes === undefined) throw new FieldError(path, `does not fit into ${size} bytes: current value is ${digits}`)
    if (size === undefined) out.int(bytes.length)
    out.bytes(bytes)
  }
}

function twosComplement(value: bigint, size: number | undefined): Buffer | undefined {
  let length = 1
  while (BigInt.asIntN(length * 8, value) !== value) length++
  if (size !== undefined && length > size) return undefined
  length = size ?? length
  return Buffer.from(
    BigInt.asUintN(length * 8, value)
      .toString(16)
      .padStart(length * 2, '0'),
    'hex',
  )
}

const PER_MS: { readonly [unit in TimeUnit]: (ms: number) => bigint } = {
  days: (ms) => BigInt(Math.floor(ms / 86_400_000)),
  millis: (ms) => BigInt(ms),
  micros: (ms) => BigInt(ms) * 1000n,
  nanos: (ms) => BigInt(ms) * 1_000_000n,
}

function timeWriter(unit: TimeUnit, bits: 32 | 64): Write {
  return (out, value, path) => {
    const isText = typeof value === 'string' && ISO_DATE.test(value)
    const ms = isText ? msOf(value) : value instanceof Date ? value.getTime() : undefined
    if (ms === undefined) return out.long(whole(value, bits, path))
    if (Number.isNaN(ms)) return refuse(path, 'a date', value)
    out.long(PER_MS[unit](ms) + (isText ? belowMs(value, unit) : 0n))
  }
}

const ISO_DATE = /^\d{4}-\d{2}-\d{2}/
const NO_ZONE = /T[\d:.]+$/

/** Without a zone it is UTC, whatever the zone of this machine. NaN for a day that its month does not have. */
function msOf(text: string): number {
  const day = text.slice(0, 10)
  const atMidnight = Date.parse(day)
  if (Number.isNaN(atMidnight) || new Date(atMidnight).toISOString().slice(0, 10) !== day) return Number.NaN
  return Date.parse(NO_ZONE.test(text) ? `${text}Z` : text)
}

/** Digits of the second that a date in JavaScript does not hold. */
function belowMs(text: string, unit: TimeUnit): bigint {
  const digits = /T\d{2}:\d{2}:\d{2}\.\d{3}(\d+)/.exec(text)?.[1] ?? ''
  const length = { days: 0, millis: 0, micros: 3, nanos: 6 }[unit]
  return length === 0 ? 0n : BigInt(digits.slice(0, length).padEnd(length, '0'))
}

function whole(value: unknown, bits: 32 | 64, path: Path): bigint {
  const digits = digitsOf(value)
  const number = digits === undefined ? undefined : wholeOf(digits)
  if (number === undefined || BigInt.asIntN(bits, number) !== number)
    return refuse(path, `a whole number of ${bits} bits`, value)
  // A double of that size may have been rounded before it came here.
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new FieldError(path, `may have been rounded as it is a double beyond 2^53: current value is ${value}`)
  return number
}

function double(value: unknown, path: Path): number {
  if (typeof value === 'number') return value
  const digits = typeof value === 'string' ? undefined : digitsOf(value)
  return digits === undefined ? refuse(path, 'a number', value) : Number(digits)
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/

export function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  return typeof value === 'string' && BASE64.test(value) ? Buffer.from(value, 'base64') : undefined
}

function isPlainObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

function refuse(path: Path, expected: string, value: unknown): never {
  throw new FieldError(path, `must be ${expected}: current value is ${shown(value)}`)
}
