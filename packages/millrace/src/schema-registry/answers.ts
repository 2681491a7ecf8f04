/**
 * Reads what a registry answers. Nothing of it is taken on trust: what lacks a field, or is no JSON at all, comes from something
 * that stands in for the registry, such as a proxy or a login page.
 */
import { isObject } from '../options/values.ts'
import {
  SCHEMA_TYPES,
  type RegisteredSchema,
  type SchemaReference,
  type SchemaType,
  type SchemaVersion,
} from '../contracts/schemas.ts'

type Answer = { readonly [name: string]: unknown }

/** @throws {Error} naming what is missing, for the message of a {RegistryError} */
export function readSchema(answer: unknown, id?: number): RegisteredSchema {
  const { schema: text, schemaType, references, id: ownId } = objectOf(answer)
  if (typeof text !== 'string') throw new Error('its response has no "schema"')
  return {
    id: id ?? schemaId(ownId),
    // Left out for Avro, which was first.
    type: readType(schemaType ?? 'AVRO'),
    text,
    references: readReferences(references ?? []),
  }
}

/** @throws {Error} as `readSchema` */
export function readVersion(answer: unknown): SchemaVersion {
  const { subject, version } = objectOf(answer)
  if (typeof subject !== 'string') throw new Error('its response has no "subject"')
  return { ...readSchema(answer), subject, version: wholeNumber('version', version) }
}

/** @throws {Error} as `readSchema` */
export function readId(answer: unknown): number {
  return schemaId(objectOf(answer)['id'])
}

/** Whether a schema is compatible, and why not where the registry says so. @throws {Error} as `readSchema` */
export function readCompatibility(answer: unknown): {
  readonly isCompatible: boolean
  readonly reasons: readonly string[]
} {
  const { is_compatible: isCompatible, messages } = objectOf(answer)
  if (typeof isCompatible !== 'boolean') throw new Error('its response has no "is_compatible"')
  return { isCompatible, reasons: Array.isArray(messages) ? messages.map(String) : [] }
}

/** @throws {Error} as `readSchema` */
export function readNames(answer: unknown): readonly string[] {
  if (Array.isArray(answer) && answer.every((name) => typeof name === 'string')) return answer
  throw new Error('its response is not a list of names')
}

/** What a registry says about a refusal: its own code, and its reason in one line. */
export function readRefusal(text: string): { readonly registryCode: number | undefined; readonly reason: string } {
  const answer = parsed(text)
  if (!isObject(answer)) return { registryCode: undefined, reason: oneLine(text) }
  const { error_code: code, message } = answer
  return {
    registryCode: typeof code === 'number' ? code : undefined,
    reason: oneLine(typeof message === 'string' ? message : text),
  }
}

/** Undefined for what is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const LONGEST_REASON = 300

function oneLine(text: string): string {
  // Web pages say nothing that fits into a message.
  if (/^\s*<(?:!doctype|html)/i.test(text)) return 'a web page'
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return (line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}...` : line).replace(/\.$/, '')
}

function objectOf(answer: unknown): Answer {
  if (isObject(answer)) return answer
  throw new Error('its response is not a JSON object')
}

function readType(type: unknown): SchemaType {
  const found = SCHEMA_TYPES.find((one) => one === type)
  if (found === undefined) throw new Error(`it has the schema type ${JSON.stringify(type)}, which is not supported`)
  return found
}

function readReferences(references: unknown): readonly SchemaReference[] {
  if (!Array.isArray(references)) throw new Error('its response has "references" that are not a list')
  return references.map((reference: unknown) => {
    const { name, subject, version } = objectOf(reference)
    if (typeof name !== 'string' || typeof subject !== 'string')
      throw new Error('its response has a reference without "name" or "subject"')
    return { name, subject, version: wholeNumber('version', version) }
  })
}

/** Records have 32 bits for it. */
function schemaId(value: unknown): number {
  const id = wholeNumber('id', value)
  if (id >= 0 && id < 2 ** 32) return id
  throw new Error(`its response has the id ${id}, which is no number of 32 bits`)
}

function wholeNumber(name: string, value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number
  throw new Error(`its response has no "${name}" that is a whole number`)
}
