import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ComponentContext } from '../../src/contracts/context.ts'
import type { Sink } from '../../src/contracts/sink.ts'
import { Batch } from '../../src/records/batch.ts'
import { makeRecords } from '../../src/records/make-records.ts'
import { parseOptions } from '../../src/options/parse.ts'
import { fileSink } from '../../src/sinks/file.ts'
import { UNSEEN_METER } from '../../src/metrics/counters.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-file-sink-'))
})
afterAll(() => rm(directory, { recursive: true }))

const signal = new AbortController().signal

async function create(options: object): Promise<Sink> {
  const context: ComponentContext = { pipeline: 'p', untilEnd: true, directory, warn: () => {}, metrics: UNSEEN_METER }
  return fileSink.create(parseOptions(fileSink, options).options, context)
}

/** A batch of values as they were read; null is a tombstone. */
function batchOf(values: readonly (string | null)[]): Batch {
  const storage = makeRecords(values.map((value, i) => ({ value, timestampMs: 0, offset: 100 + i })))
  return new Batch(
    { component: 'test', topic: 't', partition: 3, partitionCount: 4, timestampType: 'CreateTime' },
    storage,
    { ack: () => {} },
  )
}

async function write(name: string, batches: readonly Batch[], options: object = {}): Promise<string> {
  const sink = await create({ path: name, ...options })
  await sink.open(signal)
  // Not one after the other: the order of the calls counts.
  await Promise.all(batches.map((batch) => sink.write(batch, signal)))
  await sink.flush(signal)
  await sink.close()
  await sink.close()
  return readFile(join(directory, name), 'utf8')
}

describe('lines', () => {
  test('are the bytes of the values, null for tombstones', async () => {
    expect(await write('plain.jsonl', [batchOf(['{"a": 1}', null, '"ä€"'])])).toBe('{"a": 1}\nnull\n"ä€"\n')
  })

  test('keep the order of the calls', async () => {
    const batches = Array.from({ length: 200 }, (_, i) => batchOf([String(i)]))
    expect(await write('order.jsonl', batches)).toBe(batches.map((_, i) => `${i}\n`).join(''))
  })

  test('leave out dropped rows and take changed ones', async () => {
    const batch = batchOf(['1', '2', '3', '4']).derive({
      rows: Int32Array.of(0, 2, 3, 3),
      replaced: Uint8Array.of(0, 1, 1, 1),
    })
    batch.payloads = [undefined, '{"x":"ä"}', Buffer.from('[]'), null]
    expect(await write('changed.jsonl', [batch])).toBe('1\n{"x":"ä"}\n[]\nnull\n')
  })

  test('stay one line each when a value has line breaks', async () => {
    expect(await write('pretty.jsonl', [batchOf(['{\n  "a": 1\n}\n', '2', '\n3'])])).toBe('{   "a": 1 } \n2\n 3\n')
  })

  test('can also be none', async () => {
    expect(await write('none.jsonl', [])).toBe('')
    expect(await write('none.jsonl', [batchOf([])])).toBe('')
  })
})

describe('a file that is there', () => {
  test('is appended to by default', async () => {
    await write('append.jsonl', [batchOf(['1'])])
    expect(await write('append.jsonl', [batchOf(['2'])])).toBe('1\n2\n')
  })

  test('is overwritten on request', async () => {
    await write('over.jsonl', [batchOf(['1', '2'])])
    expect(await write('over.jsonl', [batchOf(['3']), batchOf(['4'])], { mode: 'overwrite' })).toBe('3\n4\n')
    expect(await write('over.jsonl', [], { mode: 'overwrite' })).toBe('')
  })

  test('keeps its content when a run ends before anything was written', async () => {
    await writeFile(join(directory, 'kept.jsonl'), 'old\n')
    const sink = await create({ path: 'kept.jsonl', mode: 'overwrite' })
    await sink.open(signal)
    await sink.close()
    expect(await readFile(join(directory, 'kept.jsonl'), 'utf8')).toBe('old\n')
  })
})

test('makes the folders that are missing', async () => {
  expect(await write('a/b/c.jsonl', [batchOf(['1'])])).toBe('1\n')
})

test('refuses an empty value, which would not come back, and writes the others', async () => {
  const sink = await create({ path: 'empty.jsonl' })
  await sink.open(signal)
  const failure: unknown = await sink.write(batchOf(['1', '', '3']), signal).catch((error: unknown) => error)
  await sink.close()
  expect(failure).toMatchObject({ code: 'BATCH_FAILED' })
  const { failures } = failure as { failures: ReadonlyMap<number, unknown> }
  expect([...failures.keys()]).toEqual([1])
  expect(failures.get(1)).toMatchObject({ code: 'ENCODE_FAILED', topic: 't', partition: 3, offset: 101n })
  expect(await readFile(join(directory, 'empty.jsonl'), 'utf8')).toBe('1\n3\n')
  expect(sink.progress()).toEqual({ records: 2, bytes: 4 })
})

test.each([
  { name: 'a folder', path: '.', reason: 'it is a folder' },
  { name: 'a file as folder', path: 'plain.jsonl/x.jsonl', reason: 'a part of the path is a file' },
])('says that $name cannot be written', async ({ path, reason }) => {
  await writeFile(join(directory, 'plain.jsonl'), '')
  const sink = await create({ path })
  await expect(sink.open(signal)).rejects.toMatchObject({
    code: 'FILE_UNWRITABLE',
    message: expect.stringMatching(new RegExp(`: ${reason}$`)),
  })
})

test('cannot be written after it was closed', async () => {
  const sink = await create({ path: 'closed.jsonl' })
  await sink.open(signal)
  await sink.close()
  await expect(sink.write(batchOf(['1']), signal)).rejects.toMatchObject({ code: 'CLOSED' })
})
