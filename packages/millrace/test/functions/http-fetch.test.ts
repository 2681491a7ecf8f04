import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Batch } from '../../src/records/batch.ts'
import { decodeRows, encodeRows } from '../../src/functions/rows/kafka-rows.ts'
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
      setTimeout(() => response.end('{"name":"x"}'), request.url === '/slow' ? 50 : 0)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

/** The values that go out for records that come in. */
async function through(options: object, values: readonly (string | null)[]): Promise<(string | null)[]> {
  const batch = batchOf(values.map((value, i) => ({ key: `k${i}`, value })))
  decodeRows(batch, false)
  const read = optionsOf('http.fetch', options)
  expect(read.problems).toEqual([])
  const stage = await definitionOf('http.fetch').create(read.options, CONTEXT)
  const { signal } = new AbortController()
  const passed: Batch[] = [...(await stage.process(batch, signal)), ...((await stage.finish?.(signal)) ?? [])]
  return passed.flatMap((one) => {
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
