/**
 * Files that schemas import without listing them as references, as every implementation brings them along: those of Protobuf itself, and
 * those that Confluent's registry and Kafka Connect know.
 */
import type { Root } from 'protobufjs'

type Protobuf = typeof import('protobufjs')
type Nested = Parameters<Root['addJSON']>[0]

/** Files of which the library has the content elsewhere than in its list of common ones, by name. */
export type MoreFiles = { readonly [name: string]: { readonly nested?: object } }

const TEXTS: { readonly [name: string]: string } = {
  'confluent/meta.proto': `syntax = "proto3"; package confluent;
message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }`,
  'confluent/type/decimal.proto': `syntax = "proto3"; package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }`,
  'google/type/date.proto': `syntax = "proto3"; package google.type;
message Date { int32 year = 1; int32 month = 2; int32 day = 3; }`,
  'google/type/timeofday.proto': `syntax = "proto3"; package google.type;
message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }`,
}

/** Adds a file to the types of a schema. @returns false for one that is not known */
export function addKnownFile(protobuf: Protobuf, root: Root, name: string, more: MoreFiles): boolean {
  const nested = (more[name] ?? protobuf.common.get(name))?.nested as Nested | undefined
  if (nested !== undefined) {
    root.addJSON(nested)
    return true
  }
  const text = Object.hasOwn(TEXTS, name) ? TEXTS[name] : undefined
  if (text === undefined) return false
  protobuf.parse(text, root, { keepCase: true })
  return true
}
