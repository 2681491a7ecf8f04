import { appendFile, mkdtemp, open, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ComponentContext } from '../../src/contracts/context.ts'
import type { Sink } from '../../src/contracts/sink.ts'
import { Batch } from '../../src/records/batch.ts'
import { makeRecords } from '../../src/records/make-records.ts'
import { parseOptions } from '../../src/options/parse.ts'
import { fileSink } from '../../src/sinks/file/index.ts'
import { UNSEEN_METER } from '../../src/metrics/counters.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-file-sink-'))
})
afterAll(() => rm(directory, { recursive: true }))

const signal = new AbortController().signal

async function create(options: object, warn: ComponentContext['warn'] = () => {}): Promise<Sink> {
  const context: ComponentContext = { pipeline: 'p', untilEnd: true, directory, warn, metrics: UNSEEN_METER }
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

// A process was killed in the middle of a write. What the next run wrote was appended to the half of a line that it had left:
// one line was corrupt, and its first record was lost with it.
describe('what a killed run left half written', () => {
  test.each([
    { name: 'is cut off', before: '1\n{"a":"half', after: '1\n2\n', warned: [10] },
    { name: 'is cut off where nothing else is in the file', before: '{"a', after: '2\n', warned: [3] },
    { name: 'is cut off when it may be the first digits of a number', before: '1\n12', after: '1\n2\n', warned: [2] },
    { name: 'is cut off when it is long', before: `1\n"${'x'.repeat(200_000)}`, after: '1\n2\n', warned: [200_001] },
    { name: 'is kept when only its line feed is missing', before: '1\n{"a":3}', after: '1\n{"a":3}\n2\n', warned: [] },
    { name: 'is nothing after a line feed', before: '{"a":3}\n', after: '{"a":3}\n2\n', warned: [] },
  ])('$name', async ({ before, after, warned }) => {
    const path = join(directory, 'half.jsonl')
    await writeFile(path, before)
    const warnings: unknown[] = []
    const sink = await create({ path: 'half.jsonl' }, (_, facts) => warnings.push(facts))
    await sink.open(signal)
    expect(await readFile(path, 'utf8')).toBe(before)
    await sink.write(batchOf(['2']), signal)
    await sink.close()
    expect(await readFile(path, 'utf8')).toBe(after)
    expect(warnings).toEqual(warned.map((bytes) => ({ path, bytes })))
  })
})

describe('a write that fails half way', () => {
  /** Writes three bytes the next time, and then finds the disk full. */
  async function fillDisk(): Promise<void> {
    const handle = await open(join(directory, 'any'), 'a')
    const prototype = Object.getPrototypeOf(handle) as FileHandle
    const write = Reflect.get(prototype, 'write') as (...given: unknown[]) => ReturnType<FileHandle['write']>
    vi.spyOn(prototype, 'write')
      .mockImplementationOnce(function (this: FileHandle, bytes) {
        return Reflect.apply(write, this, [bytes, 0, 3])
      })
      .mockRejectedValueOnce(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))
    await handle.close()
  }
  afterEach(() => {
    vi.restoreAllMocks()
  })

  // A retry appended the whole batch to the half of a line that the full disk had left.
  test('leaves nothing behind, so that the retry writes each line once', async () => {
    const sink = await create({ path: 'full.jsonl' })
    await sink.open(signal)
    await sink.write(batchOf(['"old"']), signal)
    await fillDisk()
    const failed = { code: 'FILE_UNWRITABLE', message: expect.stringMatching(/: the disk is full$/) }
    await expect(sink.write(batchOf(['"new"']), signal)).rejects.toMatchObject(failed)
    expect(await readFile(join(directory, 'full.jsonl'), 'utf8')).toBe('"old"\n')
    await sink.write(batchOf(['"new"']), signal)
    await sink.close()
    expect(await readFile(join(directory, 'full.jsonl'), 'utf8')).toBe('"old"\n"new"\n')
    expect(sink.progress()).toEqual({ records: 2, bytes: 12 })
  })

  test('fails what waits behind it, which may not overtake it', async () => {
    const sink = await create({ path: 'behind.jsonl' })
    await sink.open(signal)
    await fillDisk()
    const writes = ['"a"', '"b"', '"c"'].map((value) => sink.write(batchOf([value]), signal))
    const results = await Promise.allSettled(writes)
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await sink.close()
    expect(await readFile(join(directory, 'behind.jsonl'), 'utf8')).toBe('')
  })

  test('ends its line where another process has written to the file since', async () => {
    const path = join(directory, 'shared.jsonl')
    const sink = await create({ path: 'shared.jsonl' })
    await sink.open(signal)
    await sink.write(batchOf(['"old"']), signal)
    await appendFile(path, '"other"\n')
    await fillDisk()
    await expect(sink.write(batchOf(['"new"']), signal)).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
    await sink.write(batchOf(['"new"']), signal)
    await sink.close()
    expect(await readFile(path, 'utf8')).toBe('"old"\n"other"\n"ne\n"new"\n')
  })
})

// Records were acknowledged, and their offsets committed, while their lines were in memory of the operating system only.
test('acknowledges what is on disk', async () => {
  const handle = await open(join(directory, 'any'), 'a')
  const syncing = Promise.withResolvers<void>()
  const datasync = vi
    .spyOn(Object.getPrototypeOf(handle) as FileHandle, 'datasync')
    .mockImplementation(() => syncing.promise)
  await handle.close()
  const sink = await create({ path: 'synced.jsonl' })
  await sink.open(signal)
  let isWritten = false
  const write = sink.write(batchOf(['1']), signal).then(() => (isWritten = true))
  await vi.waitFor(() => expect(datasync).toHaveBeenCalledOnce())
  expect(await readFile(join(directory, 'synced.jsonl'), 'utf8')).toBe('1\n')
  expect(isWritten).toBe(false)
  syncing.resolve()
  await write
  await sink.close()
  vi.restoreAllMocks()
})

test('names the file after the pipeline in a path that is a folder', async () => {
  const sink = await create({ path: 'folder/' })
  await sink.open(signal)
  await sink.write(batchOf(['1']), signal)
  await sink.close()
  expect(await readFile(join(directory, 'folder', 'p.jsonl'), 'utf8')).toBe('1\n')
})

test('creates missing folders', async () => {
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
