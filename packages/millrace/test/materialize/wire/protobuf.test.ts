import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Frames } from '../../../src/materialize/wire/frames.ts'
import { normalizeJson } from '../../../src/materialize/wire/json-messages.ts'
import { decodeProtobuf, encodeProtobuf } from '../../../src/materialize/wire/protobuf.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/flow')

function messagesOf(file: string): Buffer[] {
  const frames = new Frames(file.endsWith('.bin') ? 'proto' : 'json')
  const messages: Buffer[] = []
  frames.push(readFileSync(join(FIXTURES, file)))
  while (frames.next()) messages.push(Buffer.from(frames.bytes.subarray(frames.start, frames.end)))
  return messages
}

describe('messages in protobuf', () => {
  test('of a recorded session are those of the same session in JSON', () => {
    const proto = messagesOf('06-open-json/legacy-runtime-packed.stdin.bin')
    const json = messagesOf('06-open-json/legacy-runtime-packed.stdin.jsonl')
    expect(proto.length).toBe(json.length)
    expect(proto.map((message) => decodeProtobuf('Request', message, 0, message.length))).toEqual(
      json.map((message) => normalizeJson('Request', JSON.parse(String(message)), 'request')),
    )
  })

  test('are written with the bytes that were read', () => {
    // Of the spec of a session, the table knows what a connector reads; documents lose `.0` once they are parsed.
    const messages = messagesOf('06-open-json/legacy-runtime-packed.stdin.bin').filter((message) => message[0] !== 0x22)
    for (const message of messages) {
      const request = decodeProtobuf('Request', message, 0, message.length)
      const written = encodeProtobuf('Request', request)
      if ('store' in request) expect(decodeProtobuf('Request', written, 0, written.length)).toEqual(request)
      else expect(written).toEqual(message)
    }
  })

  test('have negative and large numbers', () => {
    const sources = { a: { readThrough: '-3' }, b: { readThrough: '9007199254740993' } }
    const bytes = encodeProtobuf('Request', { startCommit: { runtimeCheckpoint: { sources } } })
    expect(decodeProtobuf('Request', bytes, 0, bytes.length)).toEqual({
      startCommit: { runtimeCheckpoint: { sources } },
    })
  })

  test.each([
    { name: 'a length beyond the end', hex: '0a05', problem: /truncated/ },
    { name: 'a varint without end', hex: 'ffffffffffffffffffffff', problem: /varint of more than 10 bytes/ },
    { name: 'a group', hex: '0b', problem: /wire type 3/ },
    { name: 'text that is no JSON', hex: '0a0412027b7b', problem: /field SpecRequest.config as it is not JSON/ },
    {
      name: 'a number for a string',
      hex: '12020801',
      problem: /field ValidateRequest.name .* wire type 0 instead of 2/,
    },
  ])('are refused with $name', ({ hex, problem }) => {
    const bytes = Buffer.from(hex, 'hex')
    expect(() => decodeProtobuf('Request', bytes, 0, bytes.length)).toThrow(problem)
  })

  test('may have fields that are not known, of every wire type', () => {
    const unknown = ['a206026869', 'a00601', 'a1060102030405060708', 'a50601020304']
    for (const field of unknown) {
      const bytes = Buffer.from(`${field}0a020809`, 'hex')
      expect(decodeProtobuf('Request', bytes, 0, bytes.length)).toEqual({ spec: { connectorType: 'LOCAL' } })
    }
  })
})

describe('messages in JSON', () => {
  test('may have either spelling, numbers of enums, and null for what is absent', () => {
    const binding = {
      resource_config: { topic: 't' },
      collectionIndex: 2,
      field_config_json: { a: { b: 1 } },
      collection: null,
    }
    expect(
      normalizeJson('ValidateRequest', { connector_type: 8, bindings: [binding], unknown: 1 }, 'validate'),
    ).toEqual({
      connectorType: 'IMAGE',
      bindings: [{ resourceConfig: { topic: 't' }, collectionIndex: 2, fieldConfig: { a: { b: 1 } } }],
    })
  })

  test.each([
    { value: [], problem: 'Cannot decode validate as it must be an object: it is an array' },
    { value: { name: 5 }, problem: 'Cannot decode validate.name as it must be a string: it is of type number' },
    {
      value: { bindings: {} },
      problem: 'Cannot decode validate.bindings as it must be an array: it is of type object',
    },
    {
      value: { bindings: [{ backfill: -1 }] },
      problem: 'Cannot decode validate.bindings[0].backfill as it must be a whole number',
    },
    { value: { lastVersion: 'a', last_version: 'b' }, problem: 'field "lastVersion" is there twice' },
  ])('are refused: $problem', ({ value, problem }) => {
    expect(() => normalizeJson('ValidateRequest', value, 'validate')).toThrow(problem)
  })
})
