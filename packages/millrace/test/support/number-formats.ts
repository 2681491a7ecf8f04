/** The same numbers in each format that can hold integers of 64 bits, for tests of what stages make of them. */
import { decodeDocuments, encodeDocuments, codecByName } from '../../src/codecs/index.ts'
import { jsonCodec } from '../../src/codecs/json.ts'
import type { Codec } from '../../src/contracts/codec.ts'
import type { SchemaUse } from '../../src/contracts/schemas.ts'
import type { Stage } from '../../src/contracts/stage.ts'
import type { Batch } from '../../src/records/batch.ts'
import { parseExactly } from '../../src/records/exact-numbers.ts'
import { batchOf } from './batches.ts'

export const FORMATS = ['json', 'json-schema', 'avro', 'protobuf'] as const
export type Format = (typeof FORMATS)[number]

const LIST = { type: 'array', items: 'long' }
const INNER = { type: 'record', name: 'Inner', fields: [{ name: 'id', type: 'long', default: 0 }] }
const SCHEMAS: { readonly [format in Format]: string } = {
  json: '',
  'json-schema': '{"type":"object","title":"Row"}',
  avro: JSON.stringify({
    type: 'record',
    name: 'Row',
    fields: [
      { name: 'id', type: 'long', default: 0 },
      { name: 'b', type: 'long', default: 0 },
      { name: 'n', type: 'long', default: 0 },
      { name: 'ids', type: LIST, default: [] },
      { name: 'o', type: INNER, default: {} },
    ],
  }),
  protobuf:
    'syntax = "proto3"; message Row { int64 id = 1; sint64 b = 2; int64 n = 3; repeated int64 ids = 4; Inner o = 5; message Inner { fixed64 id = 1; } }',
}

/** A schema that is given, without a registry. */
export function schemaUse(part: 'key' | 'value', text: string): SchemaUse {
  return {
    part,
    store: undefined,
    own: { what: 'the schema', key: text, read: async () => text },
    message: undefined,
    writing: undefined,
    latestTtlMs: 60_000,
    warn: () => {},
  }
}

/** A codec that reads and writes rows `{id, b, n, ids, o: {id}}`, in which all but `n` may be large. */
export async function codecOf(format: Format): Promise<Codec> {
  if (format === 'json') return jsonCodec
  const codec = codecByName(format, '', schemaUse('value', SCHEMAS[format]))
  await codec.prepare?.(batchOf([]), new AbortController().signal)
  return codec
}

/** Rows in a format, as a pipeline decodes them. @param rows their JSON, with all fields of the format that matter */
export function decodedBatch(codec: Codec, rows: readonly string[]): Batch {
  const values = rows.map((row) => Buffer.from(codec.encode(parseExactly(row)) as Buffer | string))
  const batch = batchOf(codec === jsonCodec ? rows : values)
  decodeDocuments(batch, codec)
  return batch
}

/** What comes out of stages, as JSON. A row that no stage changed is written, too. */
export function textsOf(batch: Batch, stages: readonly Pick<Stage, 'process'>[], to: Codec = jsonCodec) {
  let passed: Batch | undefined = batch
  for (const stage of stages) passed = passed && stage.process(passed)
  if (passed === undefined) return []
  encodeDocuments(passed, to, { all: true })
  return passed.payloads!.map(String)
}
