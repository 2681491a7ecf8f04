/** Protobuf: `.proto` text parsed at run time, and messages read and written by `protobufjs`. */
import type { Root, Type } from 'protobufjs'
import { numberOf } from '../../../records/exact-numbers.ts'
import { messageIndexBytes, readMessageIndexes } from '../../../schema-registry/wire-format.ts'
import { FieldError, type ReadySchema, type SchemaFormat, type SchemaSource } from '../ready-schema.ts'
import { Conversions, type ProtoJson } from './fields.ts'
import { addKnownFile, type MoreFiles } from './known-files.ts'

type Protobuf = typeof import('protobufjs')

export async function loadProtobuf(): Promise<SchemaFormat> {
  const [{ default: protobuf }, { default: descriptor }, { default: json }] = await Promise.all([
    import('protobufjs'),
    import('protobufjs/google/protobuf/descriptor.json', { with: { type: 'json' } }),
    // A module of CommonJS, whose types describe what it adds instead.
    import('protobufjs/ext/protojson.js') as unknown as Promise<{ readonly default: ProtoJson }>,
  ])
  return {
    parse: (source) =>
      new ProtobufSchema({ protobuf, json, more: { 'google/protobuf/descriptor.proto': descriptor } }, source),
    evolve: (writer, reader) => evolved(writer as ProtobufSchema, reader as ProtobufSchema),
  }
}

interface Library {
  readonly protobuf: Protobuf
  readonly json: ProtoJson
  readonly more: MoreFiles
}

/** The way to a message in its file: `1.0.2`. */
type IndexText = string

class ProtobufSchema implements ReadySchema {
  readonly name: string
  readonly #root: Root
  readonly #conversions: Conversions
  /** Messages of the file by their indexes, and the other way round. */
  readonly #types: ReadonlyMap<IndexText, Type>
  /** What is written, and read where nothing says which message it is. */
  readonly #own: Type
  readonly #ownIndexes: readonly number[]

  constructor({ protobuf, json, more }: Library, { text, references, message, numbers = numberOf }: SchemaSource) {
    const root = new protobuf.Root()
    const imported = new Set<string>()
    for (const { name, text: needed } of references)
      for (const file of importsOf(parse(protobuf, needed, root, name))) imported.add(file)
    const file = parse(protobuf, text, root)
    for (const name of importsOf(file)) imported.add(name)
    const given = new Set(references.map(({ name }) => name))
    for (const name of imported)
      if (!given.has(name) && !addKnownFile(protobuf, root, name, more))
        throw new Error(`it imports "${name}", which is not among its references`)
    const { package: packageName } = file
    root.resolveAll()
    // Alone, as a package may have messages of other files, too; indexes count those of this file.
    const alone = new protobuf.Root()
    parse(protobuf, text, alone)
    const names = namesByIndex(protobuf, packageName === undefined ? alone : alone.lookup(packageName)!)
    this.#types = new Map([...names].map(([indexes, name]) => [indexes, root.lookupType(name)]))
    this.#root = root
    this.#conversions = new Conversions(json, numbers)
    const [indexes, own] = [...this.#types].find(([, type]) => message === undefined || isNamed(type, message)) ?? []
    if (own === undefined)
      throw new Error(
        message === undefined
          ? 'it has no message'
          : `it has no message "${message}": there are ${[...names.values()].map((name) => name.slice(1)).join(', ')}`,
      )
    this.#own = own
    this.#ownIndexes = indexes!.split('.').map(Number)
    this.name = own.fullName.slice(1)
  }

  read(bytes: Buffer, start: number, framed: boolean): unknown {
    const { type, end } = framed ? this.typeAt(bytes, start) : { type: this.#own, end: start }
    return this.readAs(type, bytes, end)
  }

  /** The message that message indexes lead to. @throws {FieldError} */
  typeAt(bytes: Buffer, start: number): { readonly type: Type; readonly end: number } {
    const found = readMessageIndexes(bytes, start)
    if (found === undefined) throw new FieldError([], 'it has no message indexes behind the schema id')
    const type = this.#types.get(found.indexes.join('.'))
    if (type === undefined) throw new FieldError([], `its schema has no message at ${found.indexes.join('.')}`)
    return { type, end: found.end }
  }

  /** The message of this schema that has the name of one of another schema. @throws {FieldError} */
  named(type: Type): Type {
    const found = this.#root.lookup(type.fullName)
    if (found === null) return this.#own
    return found as Type
  }

  readAs(type: Type, bytes: Buffer, start: number): unknown {
    try {
      return this.#conversions.of(type).read(type.decode(bytes.subarray(start)))
    } catch (error) {
      if (error instanceof FieldError) throw error
      throw new FieldError([], `it is no ${type.fullName.slice(1)}: ${(error as Error).message}`)
    }
  }

  write(document: unknown, before: number, framed: boolean): Buffer {
    const message = this.#conversions.of(this.#own).write(document, []) as { [name: string]: unknown }
    const data = this.#own.encode(message).finish()
    const indexes = framed ? messageIndexBytes(this.#ownIndexes) : Buffer.alloc(0)
    const bytes = Buffer.allocUnsafe(before + indexes.length + data.length)
    indexes.copy(bytes, before)
    bytes.set(data, before + indexes.length)
    return bytes
  }
}

/** Fields are matched by their numbers, so the reader's message of the same name reads the data; message indexes are the writer's. */
function evolved(writer: ProtobufSchema, reader: ProtobufSchema): ReadySchema {
  return {
    name: reader.name,
    read(bytes, start, framed) {
      if (!framed) return reader.read(bytes, start, false)
      const { type, end } = writer.typeAt(bytes, start)
      return reader.readAs(reader.named(type), bytes, end)
    },
    write: (document, before, framed) => reader.write(document, before, framed),
  }
}

function parse(protobuf: Protobuf, text: string, root: Root, reference?: string): ReturnType<Protobuf['parse']> {
  try {
    return protobuf.parse(text, root, { keepCase: true })
  } catch (cause) {
    const what = reference === undefined ? '' : `its reference "${reference}" cannot be used: `
    throw new Error(`${what}${(cause as Error).message}`, { cause })
  }
}

function importsOf({ imports = [], weakImports = [] }: ReturnType<Protobuf['parse']>): readonly string[] {
  return [...imports, ...weakImports]
}

/** Full names of the messages of a file, by their indexes. */
function namesByIndex(protobuf: Protobuf, file: ReturnType<Root['lookup']>): Map<IndexText, string> {
  const names = new Map<IndexText, string>()
  const visit = (space: ReturnType<Root['lookup']>, above: string): void => {
    const messages = ('nestedArray' in space! ? (space.nestedArray as readonly object[]) : []).filter(
      (one): one is Type => one instanceof protobuf.Type,
    )
    for (const [i, type] of messages.entries()) {
      names.set(`${above}${i}`, type.fullName)
      visit(type, `${above}${i}.`)
    }
  }
  visit(file, '')
  return names
}

function isNamed({ fullName, name }: Type, wanted: string): boolean {
  return fullName === `.${wanted}` || name === wanted
}
