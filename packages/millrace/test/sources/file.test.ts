import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ComponentContext } from '../../src/contracts/context.ts'
import type { Source } from '../../src/contracts/source.ts'
import { parseOptions } from '../../src/options/parse.ts'
import { fileSource } from '../../src/sources/file/index.ts'
import { UNSEEN_METER } from '../../src/metrics/counters.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-file-source-'))
})
afterAll(() => rm(directory, { recursive: true }))

const signal = new AbortController().signal

async function open(content: string | Buffer | undefined, options: object = {}): Promise<Source> {
  if (content !== undefined) await writeFile(join(directory, 'in.jsonl'), content)
  const context: ComponentContext = { pipeline: 'p', untilEnd: true, directory, warn: () => {}, metrics: UNSEEN_METER }
  const source = await fileSource.create(parseOptions(fileSource, { path: 'in.jsonl', ...options }).options, context)
  await source.open(signal)
  return source
}

async function lines(content: string | Buffer, options?: object): Promise<[line: number, text: string][]> {
  const source = await open(content, options)
  const found: [number, string][] = []
  try {
    for await (const batch of source.batches(signal)) {
      expect(batch.firstOffset).toBe(batch.offset(0))
      expect(batch.lastOffset).toBe(batch.offset(batch.length - 1))
      for (let row = 0; row < batch.length; row++) {
        found.push([Number(batch.offset(row)), batch.value(row)!.toString()])
        expect([batch.key(row), batch.headers(row), batch.timestampMs(row)]).toEqual([null, [], -1])
      }
    }
    expect(source.progress().records).toBe(found.length)
  } finally {
    await source.close()
    await source.close()
  }
  return found
}

describe('lines', () => {
  test.each([
    {
      name: 'one per line',
      content: '{"a":1}\n{"a":2}\n',
      want: [
        [1, '{"a":1}'],
        [2, '{"a":2}'],
      ],
    },
    {
      name: 'no line break at the end',
      content: '1\n2',
      want: [
        [1, '1'],
        [2, '2'],
      ],
    },
    {
      name: 'blank lines are skipped but counted',
      content: '\n1\n \t\n\r\n2\n\n',
      want: [
        [2, '1'],
        [5, '2'],
      ],
    },
    {
      name: 'Windows line breaks',
      content: '1\r\n2\r\n',
      want: [
        [1, '1'],
        [2, '2'],
      ],
    },
    { name: 'a byte order mark', content: '\uFEFF{"a":1}\n', want: [[1, '{"a":1}']] },
    { name: 'an empty file', content: '', want: [] },
    { name: 'only line breaks', content: '\n\n\n', want: [] },
    { name: 'more than ASCII', content: '"ä€😀"\n', want: [[1, '"ä€😀"']] },
  ])('$name', async ({ content, want }) => {
    expect(await lines(content)).toEqual(want)
  })

  test('are whole wherever the pieces of the file end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 200_000 }), { minLength: 1, maxLength: 12 }), async (lengths) => {
        const texts = lengths.map((length, i) => String.fromCharCode(97 + i).repeat(length + 1))
        const found = await lines(texts.join('\n'))
        expect(found.length).toBe(texts.length)
        for (const [i, text] of texts.entries()) expect(found[i]![0] === i + 1 && found[i]![1] === text).toBe(true)
      }),
      { numRuns: 25 },
    )
  })

  test('are read in pieces, not as a whole', async () => {
    const source = await open('{"a":1}\n'.repeat(200_000))
    let batches = 0
    for await (const batch of source.batches(signal)) {
      expect(batch.byteLength).toBeLessThan(600_000)
      batches++
    }
    await source.close()
    expect(batches).toBeGreaterThan(3)
  })
})

test('refuses a line that is too long, naming it', async () => {
  await expect(lines(`1\n${'x'.repeat(20)}\n`, { maxLineBytes: 10 })).rejects.toMatchObject({
    code: 'DECODE_FAILED',
    offset: 2n,
    message: expect.stringContaining('line 2'),
  })
  // Longer than a piece, so that it is never there as a whole.
  await expect(lines(`1\n${'x'.repeat(900_000)}`, { maxLineBytes: '500KiB' })).rejects.toMatchObject({
    code: 'DECODE_FAILED',
    offset: 2n,
  })
})

test.each([
  { path: 'no.jsonl', reason: 'the file does not exist' },
  { path: '.', reason: 'it is a folder' },
])('says that "$path" cannot be read', async ({ path, reason }) => {
  await expect(open(undefined, { path })).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringMatching(new RegExp(`^Cannot read ".*": ${reason}$`)),
  })
})

test('stops between batches when asked to', async () => {
  const source = await open('{"a":1}\n'.repeat(200_000))
  const stop = new AbortController()
  let batches = 0
  for await (const _ of source.batches(stop.signal)) {
    batches++
    stop.abort()
  }
  await source.close()
  expect(batches).toBe(1)
})
