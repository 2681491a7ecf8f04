/**
 * What every source keeps, written once; see `src/contracts/source.ts`.
 */
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import type { CatalogEntry } from '../../src/catalog.ts'
import { codecByName, keyCodecByName } from '../../src/codecs/index.ts'
import type { ComponentContext } from '../../src/contracts/context.ts'
import type { SourceDefinition } from '../../src/contracts/definitions.ts'
import type { Source } from '../../src/contracts/source.ts'
import { parseOptions } from '../../src/options/parse.ts'
import type { Batch } from '../../src/records/batch.ts'
import { contextIn, SENTENCE } from './context.ts'
import { leavingNothingOpen } from './handles.ts'

export interface SourceFixture {
  /** Options of a source that reads `records` records and ends; another place to read at each call. */
  readonly ending: () => Promise<{ readonly [option: string]: unknown }>
  readonly records: number
  /** Options of a source that goes on for longer than any test. */
  readonly endless: () => Promise<{ readonly [option: string]: unknown }>
  /** Whether a source goes on where the one before it has acknowledged; otherwise each begins at the beginning. */
  readonly goesOn: boolean
}

const never = new AbortController().signal

export function describeSource(entry: CatalogEntry<SourceDefinition>, fixture: SourceFixture): void {
  async function create(options: object, more: Partial<ComponentContext> = {}): Promise<Source> {
    const parsed = parseOptions(entry, options)
    expect(parsed.problems).toEqual([])
    return (await entry.load()).create(parsed.options, contextIn(tmpdir(), more))
  }

  /** Opens a source, reads it to its end and closes it. */
  async function read(options: object, take: (batch: Batch) => void = (batch) => batch.ack()): Promise<number> {
    const source = await create(options)
    let records = 0
    try {
      await source.open(never)
      for await (const batch of source.batches(never)) {
        records += batch.length
        take(batch)
      }
    } finally {
      await source.close()
    }
    return records
  }

  describe(`source ${entry.name}`, () => {
    test('says what it is', async () => {
      const source = await create(await fixture.ending())
      expect(codecByName(source.valueCodec).name).toBe(source.valueCodec)
      expect(keyCodecByName(source.keyCodec).name).toBe(source.keyCodec ?? 'text')
      expect(source.commits).toMatch(SENTENCE)
      await source.close()
    })

    test('returns every record once, in batches with at least one, in the order of their offsets', async () => {
      const source = await create(await fixture.ending())
      await source.open(never)
      const last = new Map<string, bigint>()
      let records = 0
      for await (const batch of source.batches(never)) {
        expect(batch.length).toBeGreaterThan(0)
        expect([batch.firstOffset, batch.lastOffset]).toEqual([batch.offset(0), batch.offset(batch.length - 1)])
        expect(batch.origin.component).toBe(entry.name)
        const place = `${batch.topic} ${batch.partition}`
        for (let row = 0; row < batch.length; row++) {
          expect(batch.offset(row)).toBeGreaterThan(last.get(place) ?? -1n)
          last.set(place, batch.offset(row))
        }
        records += batch.length
        batch.ack()
      }
      expect(records).toBe(fixture.records)
      expect(source.progress()).toMatchObject({ records, bytes: expect.toSatisfy((bytes: number) => bytes > 0) })
      expect([0, undefined]).toContain(source.progress().lag)
      await source.close()
    })

    test('continues behind what was acknowledged, or starts over where nothing is committed', async () => {
      const options = await fixture.ending()
      const unacknowledged = await read(options, () => {})
      const all = await read(options, (batch) => {
        batch.ack()
        batch.ack()
      })
      const rest = await read(options)
      expect([unacknowledged, all, rest]).toEqual([
        fixture.records,
        fixture.records,
        fixture.goesOn ? 0 : fixture.records,
      ])
    })

    test('may be closed twice, and without having been opened', async () => {
      const options = await fixture.ending()
      const unopened = await create(options)
      await unopened.close()
      const source = await create(options)
      await source.open(never)
      await Promise.all([source.close(), source.close()])
      await source.close()
    })

    test('stops reading when the signal fires, though there is more', async () => {
      const stop = new AbortController()
      const source = await create(await fixture.endless(), { untilEnd: false })
      await source.open(stop.signal)
      for await (const batch of source.batches(stop.signal)) {
        batch.ack()
        stop.abort()
      }
      await source.close()
    })

    test('neither opens nor reads for long when the signal has fired before', async () => {
      const source = await create(await fixture.endless(), { untilEnd: false })
      const isOpen = await source.open(AbortSignal.abort()).then(
        () => true,
        () => false,
      )
      let batches = 0
      if (isOpen) for await (const _ of source.batches(AbortSignal.abort())) batches++
      expect(batches).toBe(0)
      await source.close()
    })

    test('leaves nothing open', async () => {
      await leavingNothingOpen(async () => {
        await read(await fixture.ending())
        await (await create(await fixture.ending())).close()
      })
    })

    test('checks what it needs without reading, and in order', async () => {
      const options = await fixture.ending()
      const source = await create(options)
      for (const { name, run } of source.checks?.() ?? []) {
        expect(name).toMatch(/^[a-z ]+$/)
        expect(await run(never)).toMatch(SENTENCE)
      }
      await source.close()
      expect(await read(options)).toBe(fixture.records)
    })
  })
}
