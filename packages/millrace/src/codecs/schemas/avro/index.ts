/** Avro: schemas parsed and values read by `avsc`, values written by `writer.ts`. */
import type { Type } from 'avsc'
import { numberOf } from '../../../records/exact-numbers.ts'
import {
  documentOf,
  FieldError,
  type NumberReader,
  type ReadySchema,
  type SchemaFormat,
  type SchemaSource,
} from '../ready-schema.ts'
import { ByteWriter } from './byte-writer.ts'
import type { RawType } from './raw-types.ts'
import { typeMaker, type TypeMaker } from './types.ts'
import { writerOf, type Write } from './writer.ts'

export async function loadAvro(): Promise<SchemaFormat> {
  const { default: avsc } = await import('avsc')
  /** One for all schemas that a codec reads, as each makes classes of its own. */
  const makers = new WeakMap<NumberReader, TypeMaker>()
  const makerOf = (numbers: NumberReader): TypeMaker => {
    const maker = makers.get(numbers) ?? typeMaker(avsc, numbers)
    makers.set(numbers, maker)
    return maker
  }
  return {
    parse({ text, references, numbers = numberOf }: SchemaSource): AvroSchema {
      const makeType = makerOf(numbers)
      const registry: { [name: string]: RawType } = {}
      for (const { name, text: needed } of references)
        try {
          makeType(JSON.parse(needed), registry)
        } catch (cause) {
          throw new Error(`its reference "${name}" cannot be used: ${reasonOf(cause)}`, { cause })
        }
      return new AvroSchema(makeType(schemaOf(text), registry))
    },
    /** Records are matched by their names without namespace, as the specification says. */
    evolve(writer, reader): AvroSchema {
      const [from, to] = [writer, reader] as [AvroSchema, AvroSchema]
      return new AvroSchema(to.type, to.type.createResolver(from.type, { ignoreNamespaces: true }), from.type)
    },
  }
}

/** Registries store the schema of a primitive as a name in quotes; people may leave them out. */
function schemaOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (/^\s*[a-z]+\s*$/.test(text)) return text.trim()
    throw new Error(`it is not JSON: ${reasonOf(cause)}`, { cause })
  }
}

class AvroSchema implements ReadySchema {
  readonly name: string
  readonly type: RawType
  readonly #resolver: unknown
  /** With which the values were written. */
  readonly #writer: Type
  /** Whether a value is the document itself. */
  readonly #isObject: boolean
  readonly #out = new ByteWriter()
  #write: Write | undefined

  constructor(type: RawType, resolver?: unknown, writer: RawType = type) {
    this.type = type
    this.#resolver = resolver
    this.#writer = writer
    this.name = type.name ?? ''
    this.#isObject = type.typeName === 'record' || type.typeName === 'map'
  }

  read(bytes: Buffer, start: number): unknown {
    const value = this.readValue(bytes, start)
    return this.#isObject ? value : documentOf(value)
  }

  readValue(bytes: Buffer, start: number): unknown {
    let end: number
    let value: unknown
    try {
      ;({ value, offset: end } = this.type.decode(bytes, start, this.#resolver as never))
    } catch (cause) {
      throw new FieldError(failingPath(this.#writer, bytes, start), reasonOf(cause))
    }
    if (end < 0) throw new FieldError(failingPath(this.#writer, bytes, start), 'is cut off')
    if (end !== bytes.length) throw new FieldError([], `it has ${bytes.length - end} bytes more than its schema says`)
    return value
  }

  write(document: unknown, before: number): Buffer {
    const write = (this.#write ??= writerOf(this.type))
    this.#out.length = 0
    write(this.#out, this.#isObject ? document : valueOf(document), [])
    return this.#out.take(before)
  }
}

/** What a document stands for where the schema is no record. */
function valueOf(document: unknown): unknown {
  const names = Object.keys(document as object)
  return names.length === 1 && names[0] === 'value' ? (document as { readonly value: unknown }).value : document
}

/** The field at which reading fails, found by reading again, piece by piece. */
function failingPath(type: Type, bytes: Buffer, start: number): (string | number)[] {
  const { fields = [] } = type as unknown as {
    readonly fields?: readonly { readonly name: string; readonly type: Type }[]
  }
  let position = start
  for (const field of fields) {
    try {
      const { offset } = field.type.decode(bytes, position)
      if (offset >= 0) {
        position = offset
        continue
      }
    } catch {
      // This one.
    }
    return [field.name, ...failingPath(field.type, bytes, position)]
  }
  return []
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n')[0]! : String(cause)
}
