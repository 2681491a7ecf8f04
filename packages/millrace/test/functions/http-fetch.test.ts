import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Batch } from '../../src/records/batch.ts'
import { decodeRows, encodeRows } from '../../src/functions/rows/kafka-rows.ts'
import { createStage } from '../../src/stages/index.ts'
import { batchOf } from '../support/batches.ts'
import { CONTEXT, definitionOf, optionsOf } from '../support/functions.ts'

let server: Server
let address: string
const requests: string[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      requests.push(`${request.url} ${body}`)
      const [, number] = request.url!.split('/number/')
      const answer = number === undefined ? '{"name":"x"}' : `{"id":${number},"of":[${number}]}`
      setTimeout(() => response.end(answer), request.url === '/slow' ? 50 : 0)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

function inStages(batches: readonly Batch[], stages: readonly object[]): Batch[] {
  let passed = [...batches]
  for (const stage of stages) {
    const [[name, spec]] = Object.entries(stage) as [[string, unknown]]
    passed = passed.flatMap((batch) => createStage(name, spec, '').process(batch, failed) ?? [])
  }
  return passed
}

function failed(): never {
  throw new Error('A row failed')
}

/** The values that go out for records that come in. */
async function through(
  options: object,
  values: readonly (string | null)[],
  behind: readonly object[] = [],
  before: readonly object[] = [],
): Promise<(string | null)[]> {
  const read = batchOf(values.map((value, i) => ({ key: `k${i}`, value })))
  decodeRows(read, false)
  const [batch] = inStages([read], before)
  const own = optionsOf('http.fetch', options)
  expect(own.problems).toEqual([])
  const stage = await definitionOf('http.fetch').create(own.options, CONTEXT)
  const { signal } = new AbortController()
  const passed: Batch[] = [...(await stage.process(batch!, signal)), ...((await stage.finish?.(signal)) ?? [])]
  return inStages(passed, behind).flatMap((one) => {
    encodeRows(one, new Set(), 'changed')
    return Array.from({ length: one.length }, (_, row) => {
      const payload = one.payloads?.[row]
      return payload === undefined ? (one.value(row)?.toString() ?? null) : String(payload)
    })
  })
}

// A delete in a compacted topic became a document with the response, which was no delete any more.
test.each(['per_row', 'batch'])(
  'passes tombstones on as they are, without a request for them: mode %s',
  async (mode) => {
    requests.length = 0
    const body = mode === 'batch' ? '{{#each records}}{{ this.a }};{{/each}}' : '{{ a }};'
    const [first, second] = await through({ url: address, method: 'POST', mode, body, result_field: 'r' }, [
      null,
      '{"a":1}',
    ])
    expect(first).toBeNull()
    expect(second).toMatch(/^\{"a":1,"r":\{/)
    expect(requests).toEqual(['/ 1;'])
  },
)

test('has nothing to ask for where all rows are tombstones', async () => {
  requests.length = 0
  expect(await through({ url: address, mode: 'batch' }, [null, null])).toEqual([null, null])
  expect(requests).toEqual([])
})

// Node.js takes times over 24 days for one millisecond, so every request failed.
test('waits no less where the timeout is longer than timers are', async () => {
  const [value] = await through({ url: `${address}/slow`, timeout: 3_000_000 }, ['{"a":1}'])
  expect(value).toContain('"name":"x"')
})

// Each of these was accepted, and then every row had null as its response.
test.each([
  [{ body: '{}' }, 'Cannot send a body with method GET'],
  [{ body: '{}', mode: 'batch' }, 'Cannot send a body with method GET'],
  [{ url: '/users/{{ id }}' }, 'The URL must begin with http:// or https://'],
  [{ url: 'localhost:8080/users' }, 'The URL must begin with http:// or https://'],
  [{ url: 'https://host:port/users/{{ id }}' }, 'The URL must be one of http or https, with a valid host and port'],
  [{ url: 'https://user:secret@host/{{ id }}' }, 'Cannot send credentials in the URL'],
  [{ headers: { 'my header': 'x' } }, 'Cannot send a header with the name "my header"'],
  [{ headers: { auth: 'sec\nret' } }, 'The value of the header "auth" has a character that HTTP does not allow'],
  [{ headers: { auth: '€' } }, 'The value of the header "auth" has a character that HTTP does not allow'],
  [{ headers: { 'Transfer-Encoding': 'chunked' } }, 'Cannot set the header "Transfer-Encoding"'],
])('refuses %j, which no request could be made of', (options, want) => {
  expect(optionsOf('http.fetch', { url: 'http://a', ...options }).problems).toEqual([want])
})

test.each([
  '{{ link }}',
  'http://{{ host }}/a',
  'https://h:{{ port }}/',
  'http{{ s }}://h/',
  'HTTP://h',
  'https://h?a={{ b }}',
])('takes the URL %s', (url) => {
  expect(optionsOf('http.fetch', { url }).problems).toEqual([])
})

// A 64-bit id of a response was written as another one.
describe('numbers of a response that no double holds', () => {
  const options = (mode: string): object => ({ url: `${address}/number/9007199254740993`, mode, result_field: 'r' })
  const answer = '"r":{"id":9007199254740993,"of":[9007199254740993]}'

  test.each(['per_row', 'batch'])('are written with their digits: mode %s', async (mode) => {
    expect(await through(options(mode), ['{"a":1}', '{"a":9007199254740995,"r":9007199254740997}', null])).toEqual([
      `{"a":1,${answer}}`,
      `{"a":9007199254740995,${answer}}`,
      null,
    ])
  })

  test('are doubles for stages behind it, and keep their digits where these copy them', async () => {
    expect(
      await through(
        options('per_row'),
        ['{"a":9007199254740995}'],
        [{ $set: { copy: '$r.id', isSame: { $eq: ['$r.id', 9007199254740992] } } }, { $unset: 'r.of' }],
      ),
    ).toEqual(['{"a":9007199254740995,"r":{"id":9007199254740993},"copy":9007199254740993,"isSame":true}'])
  })

  test('of rows that are one record are written with the digits of each', async () => {
    expect(
      await through(
        { url: `${address}/number/{{ n }}`, result_field: 'r' },
        ['{"n":["9007199254740993","9007199254740999"]}'],
        [],
        [{ $unwind: '$n' }],
      ),
    ).toEqual(['9007199254740993', '9007199254740999'].map((n) => `{"n":"${n}","r":{"id":${n},"of":[${n}]}}`))
  })
})
