/**
 * What every sink keeps, written once; see `src/contracts/sink.ts`.
 */
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import type { CatalogEntry } from '../../src/catalog.ts'
import { codecByName, keyCodecByName } from '../../src/codecs/index.ts'
import type { SinkDefinition } from '../../src/contracts/definitions.ts'
import type { Sink } from '../../src/contracts/sink.ts'
import { parseOptions } from '../../src/options/parse.ts'
import { batchOf } from '../support/batches.ts'
import { contextIn, SENTENCE } from './context.ts'
import { leavingNothingOpen } from './handles.ts'

/** A place to write to. */
export interface SinkPlace {
  readonly options: { readonly [option: string]: unknown }
  /** Values that lie there, in order, a tombstone as `null`. */
  readonly values: () => Promise<readonly string[]>
}

/** @param place another one at each call, with nothing in it */
export function describeSink(entry: CatalogEntry<SinkDefinition>, place: () => Promise<SinkPlace>): void {
  async function create({ options }: SinkPlace): Promise<Sink> {
    const parsed = parseOptions(entry, options)
    expect(parsed.problems).toEqual([])
    return (await entry.load()).create(parsed.options, contextIn(tmpdir()))
  }

  const never = new AbortController().signal
  const settled = (work: Promise<unknown>): Promise<void> =>
    work.then(
      () => {},
      () => {},
    )

  describe(`sink ${entry.name}`, () => {
    test('says what it is', async () => {
      const sink = await create(await place())
      expect(codecByName(sink.valueCodec).name).toBe(sink.valueCodec)
      expect(keyCodecByName(sink.keyCodec).name).toBe(sink.keyCodec ?? 'text')
      expect(sink.partitions).toMatch(SENTENCE)
      await sink.close()
    })

    test('has written a batch when it says so, in the order of the calls (I1, I2)', async () => {
      const there = await place()
      const sink = await create(there)
      await sink.open(never)
      const values = Array.from({ length: 30 }, (_, i) => [`{"n":${i}}`, `{"n":${i}.5}`])
      const writes = values.map((each) => sink.write(batchOf(each), never))
      await writes[0]
      expect((await there.values()).slice(0, 2)).toEqual(values[0])
      await Promise.all(writes)
      expect(await there.values()).toEqual(values.flat())
      expect(sink.progress()).toMatchObject({ records: 60, bytes: expect.toSatisfy((bytes: number) => bytes > 0) })
      await sink.flush(never)
      await sink.close()
    })

    test('writes what a stage has put in the place of a value, and tombstones, and only the rows that are left', async () => {
      const there = await place()
      const sink = await create(there)
      await sink.open(never)
      const batch = batchOf(['{"a":1}', '{"dropped":true}', '{"a":2}', null]).derive({
        rows: Int32Array.of(0, 2, 3),
        replaced: Uint8Array.of(0, 1, 0),
      })
      batch.payloads = [undefined, '{"a":"new"}', undefined]
      await sink.write(batch, never)
      await sink.flush(never)
      expect(await there.values()).toEqual(['{"a":1}', '{"a":"new"}', 'null'])
      await sink.close()
    })

    test('may be flushed with nothing to flush, closed twice, and closed without having been opened', async () => {
      const unopened = await create(await place())
      await unopened.close()
      const sink = await create(await place())
      await sink.open(never)
      await sink.flush(never)
      await Promise.all([sink.close(), sink.close()])
      await sink.close()
    })

    test('appends to what is there when it is opened again', async () => {
      const there = await place()
      for (const value of ['{"n":1}', '{"n":2}']) {
        const sink = await create(there)
        await sink.open(never)
        await sink.write(batchOf([value]), never)
        await sink.flush(never)
        await sink.close()
      }
      expect(await there.values()).toEqual(['{"n":1}', '{"n":2}'])
    })

    test('neither opens nor writes for long when the signal has fired', async () => {
      const sink = await create(await place())
      await settled(sink.open(AbortSignal.abort()))
      await sink.close()
      const open = await create(await place())
      await open.open(never)
      await settled(open.write(batchOf(['{"n":1}']), AbortSignal.abort()))
      await open.close()
    })

    test('leaves nothing open', async () => {
      await leavingNothingOpen(async () => {
        const sink = await create(await place())
        await sink.open(never)
        await sink.write(batchOf(['{"n":1}']), never)
        await sink.flush(never)
        await sink.close()
      })
    })

    test('checks what it needs without writing', async () => {
      const there = await place()
      const sink = await create(there)
      for (const { name, run } of sink.checks?.() ?? []) {
        expect(name).toMatch(/^[a-z ]+$/)
        expect(await run(never)).toMatch(SENTENCE)
      }
      await sink.close()
      expect(await there.values()).toEqual([])
    })
  })
}
