/** JSON Schema: values are JSON, which `ajv` checks when they are read and when they are written. */
import type { Ajv as AjvClass, ErrorObject, ValidateFunction } from 'ajv'
import { mayDifferIn, parseForProgram, stringifyForProgram } from '../../records/exact-numbers.ts'
import { jsonCodec, parseDocument } from '../json.ts'
import { FieldError, shown, type ReadySchema, type SchemaFormat, type SchemaSource } from './ready-schema.ts'

type Validate = ValidateFunction

type Draft = '04' | '06' | '07' | '2019' | '2020'
type AjvOf = new (options: object) => AjvClass

export async function loadJsonSchema(): Promise<SchemaFormat> {
  const [{ Ajv }, { Ajv2019 }, { Ajv2020 }, { default: addFormats }, { default: draft04 }, { default: draft06 }] =
    await Promise.all([
      import('ajv'),
      import('ajv/dist/2019.js'),
      import('ajv/dist/2020.js'),
      import('ajv-formats'),
      import('ajv-draft-04'),
      import('ajv/dist/refs/json-schema-draft-06.json', { with: { type: 'json' } }),
    ])
  // Registries take schemas with keywords of other tools, such as `connect.index`.
  const options = {
    strict: false,
    allErrors: false,
    validateFormats: true,
    logger: false,
    // 19.99 is a multiple of 0.01, but not as doubles.
    multipleOfPrecision: 8,
  } as const
  const classes: { readonly [draft in Draft]: AjvOf } = {
    '04': draft04.default,
    '06': Ajv,
    '07': Ajv,
    '2019': Ajv2019,
    '2020': Ajv2020,
  }
  return {
    parse({ text, references, numbers }: SchemaSource): JsonSchema {
      const schema = schemaOf(text)
      const draft = draftOf(schema)
      const ajv = new classes[draft](options)
      // What draft-07 added, no schema of draft-06 has.
      if (draft === '06' || draft === '07') ajv.addMetaSchema(draft06)
      addFormats.default(ajv)
      for (const { name, text: needed } of references)
        try {
          const other = schemaOf(needed)
          if (classes[draftOf(other, draft)] !== classes[draft])
            throw new Error('it is of another draft than the schema')
          ajv.addSchema(other as object, name)
        } catch (cause) {
          throw new Error(`its reference "${name}" cannot be used: ${(cause as Error).message}`, { cause })
        }
      const validate = ajv.compile(schema as object)
      if ('$async' in validate) throw new Error('it is asynchronous ($async), which is not supported')
      return new JsonSchema(schema, validate, numbers !== undefined)
    },
    // What was written by any version is JSON: the reader's schema says what it must be.
    evolve: (_writer, reader) => reader,
  }
}

class JsonSchema implements ReadySchema {
  readonly name: string
  readonly #validate: Validate
  readonly #isForProgram: boolean

  constructor(schema: unknown, validate: Validate, isForProgram: boolean) {
    this.#isForProgram = isForProgram
    const { title } = (typeof schema === 'object' && schema !== null ? schema : {}) as { readonly title?: unknown }
    this.name = typeof title === 'string' ? title : ''
    this.#validate = validate
  }

  read(bytes: Buffer, start: number): unknown {
    const document = parseDocument(bytes, start, bytes.length)
    this.#check(this.#isObject(bytes, start) ? document : (document as { readonly value: unknown }).value)
    return document
  }

  readValue(bytes: Buffer, start: number): unknown {
    const document = this.read(bytes, start)
    if (this.#isForProgram && mayDifferIn(bytes, start, bytes.length))
      return parseForProgram(bytes.toString('utf8', start))
    return this.#isObject(bytes, start) ? document : (document as { readonly value: unknown }).value
  }

  #isObject(bytes: Buffer, start: number): boolean {
    return bytes[firstOf(bytes, start)] === OPEN
  }

  write(document: unknown, before: number): Buffer {
    // What is checked is what is written: without fields that are undefined, exact numbers as doubles.
    const text = textOf(document)
    const value: unknown = JSON.parse(text)
    const own = this.#validate(value) ? value : undefined
    const inner = (value as { readonly value?: unknown } | null)?.value
    const isWrapped = own === undefined && hasOnlyValue(value) && this.#validate(inner)
    if (own === undefined && !isWrapped) this.#check(value)
    const written = isWrapped ? textOf((document as { readonly value: unknown }).value) : text
    const bytes = Buffer.allocUnsafe(before + Buffer.byteLength(written))
    bytes.write(written, before)
    return bytes
  }

  #check(value: unknown): void {
    if (this.#validate(value)) return
    const error: ErrorObject | undefined = this.#validate.errors?.[0]
    const path = (error?.instancePath ?? '')
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    let found: unknown = value
    for (const name of path) found = (found as { readonly [name: string]: unknown })[name]
    throw new FieldError(
      path.map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
      `${error?.message ?? 'does not match the schema'}${error?.keyword === 'additionalProperties' ? ` (${shown(error.params['additionalProperty'])})` : ''}: current value is ${shown(found)}`,
    )
  }
}

const OPEN = 0x7b

/** Where the value begins, behind white space. */
function firstOf(bytes: Buffer, start: number): number {
  let i = start
  while (i < bytes.length && bytes[i]! <= 0x20) i++
  return i
}

/** As of any document, besides that programs may have BigInts. @throws {EncodeError} */
function textOf(document: unknown): string {
  try {
    return jsonCodec.encode(document)
  } catch (error) {
    try {
      return stringifyForProgram(document)
    } catch {
      throw error
    }
  }
}

function hasOnlyValue(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 1 && 'value' in value
}

function schemaOf(text: string): unknown {
  let schema: unknown
  try {
    schema = JSON.parse(text)
  } catch (cause) {
    throw new Error(`it is not JSON: ${(cause as Error).message}`, { cause })
  }
  if (typeof schema === 'boolean' || (typeof schema === 'object' && schema !== null && !Array.isArray(schema)))
    return schema
  throw new Error(`it is no JSON Schema, which is an object or a boolean: ${shown(schema)}`)
}

const DRAFTS: readonly (readonly [inUri: string, Draft])[] = [
  ['2020-12', '2020'],
  ['2019-09', '2019'],
  ['draft-07', '07'],
  ['draft-06', '06'],
  ['draft-04', '04'],
]

/** Without `$schema`, draft-07, as registries take it. @throws {Error} for drafts that nothing here knows */
function draftOf(schema: unknown, otherwise: Draft = '07'): Draft {
  const uri = (schema as { readonly $schema?: unknown }).$schema
  if (typeof uri !== 'string') return otherwise
  const known = DRAFTS.find(([inUri]) => uri.includes(inUri))
  if (known !== undefined) return known[1]
  throw new Error(
    `it is of a draft that is not supported, "${uri}": use draft-04, draft-06, draft-07, 2019-09 or 2020-12`,
  )
}
