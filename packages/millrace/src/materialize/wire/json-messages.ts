/**
 * The JSON mapping of messages (pbjson): accepts both spellings of names, numbers of enums, `null` for what is absent,
 * and unknown fields, which it leaves out.
 */
import { ProtocolViolationError } from '../../errors/index.ts'
import { asScalar, ENUMS, type FieldSpec, fieldsOf, isEnum, isMessage, type MessageName } from './message-types.ts'
import type { MessageObject } from './protobuf.ts'

/** The fields of a message that the table knows, by their names in camelCase. @throws {ProtocolViolationError} */
export function normalizeJson(message: MessageName, value: unknown, place: string): MessageObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(place, 'an object', value)
  const fields = fieldsOf(message)
  const object: MessageObject = {}
  for (const [written, content] of Object.entries(value)) {
    const name = camelCase(written)
    const spec = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (spec === undefined || content === null) continue
    if (Object.hasOwn(object, name))
      throw new ProtocolViolationError(`Cannot decode ${place} as field "${name}" is there twice`)
    object[name] = normalizeField(spec, content, `${place}.${name}`)
  }
  return object
}

/** `resource_config_json` has the name `resourceConfig`. */
function camelCase(name: string): string {
  return name.includes('_')
    ? name.replace(/_json$/, '').replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    : name
}

function normalizeField([, type, shape]: FieldSpec, content: unknown, place: string): unknown {
  if (shape === 'list') {
    if (!Array.isArray(content)) throw wrongType(place, 'an array', content)
    return content.map((one, i) => normalizeValue(type, one, `${place}[${i}]`))
  }
  if (shape === 'map') {
    if (typeof content !== 'object' || content === null || Array.isArray(content))
      throw wrongType(place, 'an object', content)
    return Object.fromEntries(
      Object.entries(content).map(([key, one]) => [key, normalizeValue(type, one, `${place}.${key}`)]),
    )
  }
  return normalizeValue(type, content, place)
}

function normalizeValue(type: string, content: unknown, place: string): unknown {
  if (isMessage(type)) return normalizeJson(type, content, place)
  if (isEnum(type)) {
    const names: { readonly [name: string]: number } = ENUMS[type]
    if (typeof content === 'number')
      return Object.keys(names).find((name) => names[name] === content) ?? String(content)
    if (typeof content !== 'string') throw wrongType(place, 'the name of an enum value', content)
    return content
  }
  const scalar = asScalar(type)
  switch (scalar) {
    case 'json':
      return content
    case 'string':
    case 'bytes':
      if (typeof content !== 'string') throw wrongType(place, 'a string', content)
      return content
    case 'bool':
      if (typeof content !== 'boolean') throw wrongType(place, 'true or false', content)
      return content
    case 'uint32':
    case 'fixed32': {
      const number = typeof content === 'string' && content !== '' ? Number(content) : content
      if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 0xffffffff)
        throw wrongType(place, 'a whole number from 0 to 4294967295', content)
      return number
    }
    case 'int64':
    case 'fixed64':
      if (!/^-?\d+$/.test(String(content))) throw wrongType(place, 'a whole number', content)
      return String(content)
    case 'double':
      if (typeof content !== 'number') throw wrongType(place, 'a number', content)
      return content
  }
}

/** Values are not quoted, as they may be secrets (I8). */
function wrongType(place: string, expected: string, value: unknown): ProtocolViolationError {
  const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : `of type ${typeof value}`
  return new ProtocolViolationError(`Cannot decode ${place} as it must be ${expected}: it is ${found}`)
}
