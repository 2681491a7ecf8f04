/** Random messages for every version, made from the tables of fields. */
import fc from 'fast-check'
import { type ApiEntry, APIS } from '../../src/protocol/api-index.ts'
import type { Message } from '../../src/protocol/message.ts'
import * as consumerProtocol from '../../src/protocol/messages/consumer-protocol.ts'
import * as headers from '../../src/protocol/messages/headers.ts'
import { defaultOf, type Field, type Fields, isIn, isTagged, type Structure } from '../../src/protocol/schema.ts'

/** All messages there are. */
export async function allMessages(): Promise<Message<unknown>[]> {
  const apis = await Promise.all((APIS as readonly ApiEntry[]).map(async (entry) => entry.load()))
  const others = Object.values({ ...headers, ...consumerProtocol })
  return [...apis.flatMap(({ request, response }) => [request, response]), ...others]
}

export function versionsOf({ versions: { min, max } }: Message<unknown>): number[] {
  return Array.from({ length: max - min + 1 }, (_, i) => min + i)
}

const INT64 = fc.oneof(
  fc.constantFrom(-1, 0, 2 ** 31, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 63, -(2 ** 63)),
  fc.maxSafeInteger(),
)

/** Text that UTF-8 can hold: no halves of surrogate pairs. */
const TEXT = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 8 }))
const BYTES = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  // Long enough to be sent without a copy.
  fc.constant(new Uint8Array(5000).fill(7)),
)

const VALUES: { readonly [type: string]: fc.Arbitrary<unknown> } = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 0xffffffff }),
  int64: INT64,
  float64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  string: TEXT,
  bytes: BYTES.map((bytes) => Buffer.from(bytes)),
  records: BYTES.map((bytes) => Buffer.from(bytes)),
}

/** A structure with a value for each field that the version has; tagged fields keep their default every other time. */
export function structures(fields: Fields, version: number): fc.Arbitrary<Structure> {
  const present = fields.filter((field) => isIn(field, version))
  return fc.record(Object.fromEntries(present.map((field) => [field.name, fieldValues(field, version)])))
}

function fieldValues(field: Field, version: number): fc.Arbitrary<unknown> {
  const one = typeof field.type === 'string' ? VALUES[field.type]! : structures(field.type, version)
  const value = field.array === true ? fc.array(one, { maxLength: 3 }) : one
  const options = [value]
  if (field.nullable !== undefined && version >= field.nullable) options.push(fc.constant(null))
  if (isTagged(field, version)) options.push(fc.constant(defaultOf(field)))
  return fc.oneof(...options)
}

/** What is read after `value` was written: the fields that the version does not have are there, with their defaults. */
export function completed(fields: Fields, value: Structure): Structure {
  return Object.fromEntries(
    fields.map((field) => {
      const given = value[field.name]
      if (given === undefined) return [field.name, defaultOf(field)]
      if (given === null || typeof field.type === 'string') return [field.name, given]
      const inner = field.type
      const whole = (part: unknown) => completed(inner, part as Structure)
      return [field.name, field.array === true ? (given as unknown[]).map(whole) : whole(given)]
    }),
  )
}
