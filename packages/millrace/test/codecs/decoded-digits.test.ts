/** Keys below `_meta` and in the column `_kafka_key` were written with the nearest doubles, as were defaults and decimals of Avro that a stage moved. */
import { describe, expect, test } from 'vitest'
import { decodeDocuments, encodeDocuments, keyCodecByName } from '../../src/codecs/index.ts'
import { jsonCodec } from '../../src/codecs/json.ts'
import { SchemaCodec } from '../../src/codecs/schemas/schema-codec.ts'
import { loadAvro } from '../../src/codecs/schemas/avro/index.ts'
import { DocumentNumbers } from '../../src/codecs/schemas/document-numbers.ts'
import type { ReadySchema } from '../../src/codecs/schemas/ready-schema.ts'
import type { Codec } from '../../src/contracts/codec.ts'
import { decodeRows, rowText } from '../../src/functions/rows/kafka-rows.ts'
import { createFunctionStage } from '../../src/functions/in-line.ts'
import { gather, syntheticOrigin } from '../../src/functions/rows/batches.ts'
import { stringifyExactly } from '../../src/records/exact-numbers.ts'
import { createStage } from '../../src/stages/index.ts'
import { batchOf } from '../support/batches.ts'
import { codecOf, decodedBatch, schemaUse, textsOf } from '../support/number-formats.ts'

const LARGE = '9007199254740993'
const NEXT = '9007199254740995'

/** A codec with this schema to read, and values that another one wrote. */
async function avro(schema: unknown): Promise<Codec> {
  const codec = new SchemaCodec('avro', schemaUse('value', JSON.stringify(schema)))
  await codec.prepare(batchOf([]), new AbortController().signal)
  return codec
}

describe('the digits of keys', () => {
  const keys = keyCodecByName('json')
  const record = { key: `{"id":${LARGE}}`, value: `{"id":${NEXT}}` }

  test('are in _meta where a stage or the sink writes it', () => {
    const project = createStage('$project', { _meta: 1, id: 1 }, '')
    for (const [stages, includeMeta] of [
      [[project], false],
      [[], true],
    ] as const) {
      const batch = batchOf([record])
      decodeDocuments(batch, jsonCodec, { attachMeta: true, keys })
      const passed = stages.reduce((one, stage) => stage.process(one)!, batch)
      encodeDocuments(passed, jsonCodec, { includeMeta, keys })
      expect(passed.payloads![0]).toContain(`"key":{"id":${LARGE}}`)
      expect(passed.payloads![0]).toContain(`"id":${NEXT}`)
    }
  })

  test.each(['avro', 'protobuf', 'json-schema'] as const)('are in fields beside a value in %s', async (format) => {
    const codec = await codecOf(format)
    const value = decodedBatch(codec, [`{"id":${NEXT},"n":1,"b":0,"ids":[],"o":{"id":1}}`]).value(0)
    const batch = batchOf([{ key: LARGE, value }])
    decodeDocuments(batch, codec, { attachMeta: true, keys })
    expect(textsOf(batch, [createStage('$project', { k: '$_meta.key', id: 1 }, '')])).toEqual([
      `{"k":${LARGE},"id":${NEXT}}`,
    ])
  })

  test('are in the columns of rows', () => {
    const batch = batchOf([record])
    decodeRows(batch, true, { keys })
    const passed = createFunctionStage('select.apply', { columns: ['_kafka_key', 'id'] }, '').process(batch)!
    expect(rowText(passed, 0)).toBe(`{"_kafka_key":{"id":${LARGE}},"id":${NEXT}}`)
  })
})

describe('the digits of Avro', () => {
  const decimal = { type: 'bytes', logicalType: 'decimal', precision: 20, scale: 4 }

  test('are those of decimals, which are numbers for stages', async () => {
    const codec = await avro({ type: 'record', name: 'R', fields: [{ name: 'd', type: decimal }] })
    const value = codec.encode({ d: '1234567890123456.7891' }) as Buffer
    const small = codec.encode({ d: '0.5' }) as Buffer
    const batch = batchOf([value, small])
    decodeDocuments(batch, codec)
    expect(batch.documents).toEqual([{ d: 1234567890123456.8 }, { d: 0.5 }])
    expect(textsOf(batch, [createStage('$set', { e: '$d', more: { $gt: ['$d', 1] } }, '')])).toEqual([
      '{"d":1234567890123456.7891,"e":1234567890123456.7891,"more":true}',
      '{"d":0.5,"e":0.5,"more":false}',
    ])
  })

  test('are those of defaults', async () => {
    const schema = {
      type: 'record',
      name: 'R',
      fields: [{ name: 'd', type: decimal, default: '\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0001' }],
    }
    const codec = await avro(schema)
    const batch = batchOf([codec.encode({})])
    decodeDocuments(batch, codec)
    expect(batch.documents).toEqual([{ d: 7205759403792.794 }])
    expect(textsOf(batch, [createStage('$set', { x: 1 }, '')])).toEqual(['{"d":7205759403792.7937,"x":1}'])
    // The default of a reader, for what was written without the field.
    const [format, numbers] = [await loadAvro(), new DocumentNumbers()]
    const parse = (fields: unknown): ReadySchema =>
      format.parse({ text: JSON.stringify({ ...schema, fields }), references: [], numbers: numbers.read })
    const evolved = format.evolve(parse([]), parse(schema.fields))
    const { rounded } = numbers
    expect(evolved.read(Buffer.alloc(0), 0, false)).toEqual({ d: 7205759403792.794 })
    expect(numbers.rounded).toBe(rounded + 1)
    numbers.isExact = true
    expect(stringifyExactly(evolved.read(Buffer.alloc(0), 0, false))).toBe('{"d":7205759403792.7937}')
  })
})

describe('the digits of rows', () => {
  test.each(['json', 'json-schema', 'avro', 'protobuf'] as const)(
    'are in texts that functions make of %s',
    async (format) => {
      const batch = decodedBatch(await codecOf(format), [`{"id":1,"b":0,"n":1,"ids":[],"o":{"id":${LARGE}}}`])
      const stage = createFunctionStage('json.extract', { column: 'o', path: 'id', output_column: 'text' }, '')
      expect(textsOf(batch, [stage])[0]).toContain(`"text":"${LARGE}"`)
      const object = createFunctionStage('json.extract', { column: 'o', path: '$', output_column: 'text' }, '')
      expect(textsOf(batch, [object])[0]).toContain(`"text":"{\\"id\\":${LARGE}}"`)
    },
  )

  test.each(['json', 'avro', 'protobuf'] as const)('tell rows of %s apart', async (format) => {
    const rows = [LARGE, '9007199254740992', LARGE].map((id) => `{"id":${id},"b":0,"n":1,"ids":[],"o":{"id":1}}`)
    for (const columns of [['id'], undefined]) {
      const batch = decodedBatch(await codecOf(format), rows)
      const stage = createFunctionStage('distinct.apply', columns === undefined ? {} : { columns }, '')
      expect(textsOf(batch, [stage])).toEqual(rows.slice(0, 2))
    }
  })

  test('stay with rows of several formats and stages that are gathered', async () => {
    const row = `{"id":${LARGE},"b":0,"n":1,"ids":[],"o":{"id":1}}`
    const read = await Promise.all(
      (['json', 'avro'] as const).map(async (format) => decodedBatch(await codecOf(format), [row])),
    )
    const grouped = createStage('$group', { _id: '$id' }, '').process(read[1]!)!
    const running = createStage('$group', { scope: 'stream', _id: '$id' }, '').process(read[1]!)!
    const kept = [...read, grouped, running].map((batch) => ({ batch, row: 0 }))
    const batch = gather(kept, syntheticOrigin('sort'), { ack() {} })
    expect(textsOf(batch, [createStage('$set', { x: 1 }, '')])).toEqual([
      `${row.slice(0, -1)},"x":1}`,
      `${row.slice(0, -1)},"x":1}`,
      `{"_id":${LARGE},"x":1}`,
      `{"_id":${LARGE},"x":1}`,
    ])
  })
})
