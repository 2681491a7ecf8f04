/** The classes of types that `avsc` lacks, made of its own. */
import { isExact, numberOf } from '../../../records/exact-numbers.ts'
import type { NumberReader } from '../ready-schema.ts'
import { type Avsc, type Kind, kindOf, type RawType, type Resolver, setKind, type Tap } from './raw-types.ts'

interface Branch {
  readonly branchName: string
  _read(tap: Tap): unknown
  _copy(value: unknown, options: unknown): unknown
}
/** What `avsc` calls the reading of defaults. */
const FROM_SCHEMA = 2
type LogicalClass = new (
  schema: unknown,
  options: unknown,
) => RawType & {
  readonly underlyingType: RawType
}

/** What a stored value is in a document. @param numbers the maker's when omitted */
export type FromStored = (value: unknown, numbers?: NumberReader) => unknown

/** A type whose values are turned into something else after they were read. */
export type MappedClass = new (
  schema: unknown,
  options: unknown,
  kind: Kind,
  from: FromStored,
) => RawType & { readonly underlyingType: RawType }

export function mappedClass(avsc: Avsc, numbers: NumberReader): MappedClass {
  const LogicalType = avsc.types.LogicalType as unknown as LogicalClass
  return class Mapped extends LogicalType {
    readonly #kind: Kind
    readonly #from: FromStored
    constructor(schema: unknown, options: unknown, kind: Kind, from: FromStored) {
      super(schema, options)
      this.#kind = kind
      this.#from = from
      setKind(this, kind)
    }
    override _read(tap: Tap): unknown {
      return this.#from(this.underlyingType._read(tap))
    }
    override _update(resolver: Resolver, writer: RawType, options: unknown): void {
      const own = this.#kind
      const other = kindOf(writer)
      // The specification: a decimal is read as one of the same scale only.
      if (own.kind === 'decimal' && other?.kind === 'decimal' && own.scale !== other.scale)
        throw new Error(`cannot read a decimal of scale ${other.scale} as one of scale ${own.scale}`)
      const inner = this.underlyingType.createResolver(
        writer.underlyingType ?? writer,
        options as never,
      ) as unknown as Resolver
      const from = this.#from
      resolver._read = (tap) => from(inner._read(tap))
    }
    /** Copies a default: as the schema has it, with `coerce`, or as documents have it. */
    _copy(value: unknown, options?: { readonly coerce?: number }): unknown {
      if (options?.coerce !== FROM_SCHEMA) {
        if (isExact(value)) return numbers(value.rawJSON)
        return typeof value === 'object' && value !== null ? structuredClone(value) : value
      }
      const own = this.#kind
      // The default of a union is one of its first branch.
      if (own.kind === 'union') {
        const { types } = this.underlyingType as unknown as { readonly types: readonly Branch[] }
        return types[0]!._copy(value, options)
      }
      // With all digits, which each copy may round.
      return this.#from(Buffer.from(String(value), 'latin1'), numberOf)
    }
    /** Values are written by `writer.ts`; `avsc` writes defaults ahead of time, which nothing uses. */
    _write(): void {}
    _fromValue(value: unknown): unknown {
      return this.#from(value)
    }
    _toValue(value: unknown): unknown {
      return value
    }
  }
}

/** Several types. Beside text, bytes keep the name of their branch, as their base64 could not be told from text. */
export function unionClass(Mapped: MappedClass): new (schema: unknown, options: unknown) => RawType {
  return class Union extends Mapped {
    readonly #branches: readonly Branch[]
    readonly #named: readonly (string | undefined)[]
    constructor(schema: unknown, options: unknown) {
      super(schema, options, { kind: 'union' }, unwrapped)
      const types = (this.underlyingType as unknown as { readonly types: readonly (RawType & Branch)[] }).types
      this.#branches = types
      const hasText = types.some(({ branchName }) => branchName === 'string')
      this.#named = types.map((type) => (hasText && kindOf(type)?.kind === 'bytes' ? type.branchName : undefined))
    }
    override _read(tap: Tap): unknown {
      const index = tap.readLong()
      const branch = this.#branches[index]
      if (branch === undefined) throw new Error(`has no branch ${index} in its union`)
      const value = branch._read(tap)
      const name = this.#named[index]
      return name === undefined ? value : { [name]: value }
    }
  }
}

/** Whole numbers: of 64 bits, none of them rounded; and of 32 bits that are a time, of a class of its own as `avsc` shares no other. */
export function numberClasses(
  avsc: Avsc,
  numbers: NumberReader,
): { readonly Long: new () => RawType; readonly Int: new () => RawType } {
  const LongType = avsc.types.LongType as unknown as new () => RawType
  class Long extends LongType {
    override _read(tap: Tap): unknown {
      const { pos } = tap
      const value = tap.readLong()
      return value > -READ_EXACTLY && value < READ_EXACTLY ? value : exactLong(tap, pos, numbers)
    }
  }
  const IntType = avsc.types.IntType as unknown as new () => RawType
  class Int extends IntType {}
  return { Long, Int }
}

/** Avro stores about twice a number, in which its sign is the last bit; avsc reads that as a double, exact to 2^53. */
const READ_EXACTLY = 2 ** 52

/** The same bytes again, without doubles. */
function exactLong({ buf }: Tap, start: number, numbers: NumberReader): unknown {
  let value = 0n
  for (let i = 0; i < 10; i++) {
    const byte = buf[start + i]
    // Cut off, which is reported at the end of the value.
    if (byte === undefined) return 0
    value |= BigInt(byte & 0x7f) << BigInt(7 * i)
    if (byte < 0x80) return numbers(String(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))))
  }
  throw new Error('is a long of more than 10 bytes')
}

function unwrapped(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('unwrap' in value)) return value
  // A record may have a field of that name.
  return typeof value.unwrap === 'function' ? (value as { unwrap(): unknown }).unwrap() : value
}
