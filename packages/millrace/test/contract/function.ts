/**
 * What every function of stage graphs keeps, written once; see `src/contracts/functions.ts`.
 */
import { describe, expect, test } from 'vitest'
import type {
  FunctionContext,
  FunctionDefinition,
  SinkFunction,
  SourceFunction,
  TransformFunction,
} from '../../src/contracts/functions.ts'
import { describe as describeFields } from '../../src/options/describe.ts'
import { parseOptions } from '../../src/options/parse.ts'
import { writtenName } from '../../src/options/spellings.ts'
import { batchOfDocuments } from '../support/batches.ts'
import { CONTEXT, transform } from '../support/functions.ts'
import { SENTENCE } from './context.ts'
import { leavingNothingOpen } from './handles.ts'

const never = new AbortController().signal

/** What holds for each of them before it is created. */
export function describeFunctionDefinition(definition: FunctionDefinition): void {
  const { kind, name, summary, options, examples = [] } = definition
  const messagesOf = (written: unknown): string[] =>
    parseOptions(definition, written).problems.map(({ message }) => message)

  describe(`the definition of ${kind} ${name}`, () => {
    test('is documented in whole sentences, options included', () => {
      expect(summary).toMatch(/^[A-Z].*\.$/)
      for (const [option, { meta }] of Object.entries(options)) {
        if (meta.ignored === undefined) expect(meta.doc, option).toMatch(/^[A-Z0-9`].*\.$/s)
        else expect(meta.ignored, option).toMatch(SENTENCE)
      }
    })

    test('has examples, which can be used', () => {
      expect(examples.length).toBeGreaterThan(0)
      for (const { title, options: written } of examples) {
        expect(title).toMatch(/^[A-Z].*[^.]$/)
        expect(messagesOf(written)).toEqual([])
      }
    })

    const required = describeFields(options).filter((row) => row.required)
    if (required.length > 0)
      test.each(required)('refuses to be without "$name" with one error, which names it', ({ name: option }) => {
        const rest: { [name: string]: unknown } = { ...examples[0]!.options }
        delete rest[writtenName(option, options[option]!, rest)!]
        expect(messagesOf(rest)).toEqual([expect.stringContaining(`"${option}"`)])
      })

    test('refuses an unknown option with one error, which names it', () => {
      expect(messagesOf({ ...examples[0]!.options, qqqq: 1 })).toEqual([expect.stringContaining('"qqqq"')])
    })
  })
}

/** @param runs whether its examples run without anything outside of this process */
export function describeTransform(definition: TransformFunction, runs: boolean): void {
  const { name, examples = [] } = definition
  const told = examples.filter(({ have }) => have !== undefined)

  describe(`transform ${name}`, () => {
    test.each(examples)('says whether it keeps rows back, as in "$title"', async ({ options: written }) => {
      const { options } = parseOptions(definition, written)
      const made = await definition.create(options, CONTEXT)
      expect(made.finish !== undefined).toBe(definition.keepsRowsBack?.(options) === true)
    })

    if (told.length > 0)
      test.each(told)(
        'turns the input of "$title" into its output, in one batch and in many',
        async ({ options, have = [], want }) => {
          const alone = have.map((row) => [row])
          expect((await transform(name, options, [have])).rows).toEqual(want)
          expect((await transform(name, options, alone)).rows).toEqual(want)
        },
      )

    if (!runs) return
    test('passes on a batch without rows', async () => {
      expect((await transform(name, examples[0]!.options, [])).rows).toEqual([])
      expect(await transform(name, examples[0]!.options, [[]])).toMatchObject({ rows: [] })
    })

    test('acknowledges every batch, once what was made of it is', async () => {
      const { options, have = [] } = told[0] ?? examples[0]!
      const alone = have.map((row) => [row])
      const { acknowledged } = await transform(name, options, alone)
      expect(acknowledged.map(({ before, after }) => before || after)).toEqual(alone.map(() => true))
    })

    test('leaves nothing open', async () => {
      const { options, have = [] } = told[0] ?? examples[0]!
      await leavingNothingOpen(async () => void (await transform(name, options, [have])))
    })
  })
}

/** @param place options of a source that reads `rows` and ends; another place at each call */
export function describeSourceFunction(
  definition: SourceFunction,
  rows: readonly unknown[],
  place: () => Promise<{ readonly [option: string]: unknown }>,
  context: Partial<FunctionContext> = {},
): void {
  describe(`source function ${definition.name}`, () => {
    const create = async (): Promise<Awaited<ReturnType<SourceFunction['create']>>> => {
      const { options, problems } = parseOptions(definition, await place())
      expect(problems).toEqual([])
      return definition.create(options, { ...CONTEXT, ...context })
    }

    test('returns every row once, in order', async () => {
      const source = await create()
      await source.open(never)
      const found: unknown[] = []
      for await (const batch of source.batches(never)) {
        expect(batch.length).toBeGreaterThan(0)
        found.push(...batch.documents!)
        batch.ack()
      }
      expect(found).toEqual(rows)
      expect(source.progress().records).toBe(rows.length)
      await source.close()
    })

    test('may be closed twice, and without having been opened', async () => {
      await (await create()).close()
      const source = await create()
      await source.open(never)
      await Promise.all([source.close(), source.close()])
      await source.close()
    })

    test('leaves nothing open', async () => {
      await leavingNothingOpen(async () => {
        const source = await create()
        await source.open(never)
        for await (const batch of source.batches(never)) batch.ack()
        await source.close()
      })
    })
  })
}

/** Where a sink writes. */
export interface Place {
  readonly options: { readonly [option: string]: unknown }
  /** Everything that is there. */
  readonly text: () => Promise<string>
}

/** @param text of the rows `{n: 1}` and `{n: 2}` @param place another one at each call */
export function describeSinkFunction(definition: SinkFunction, text: string, place: () => Promise<Place>): void {
  describe(`sink function ${definition.name}`, () => {
    const create = ({ options: written }: Place, directory: string): ReturnType<SinkFunction['create']> => {
      const { options, problems } = parseOptions(definition, written)
      expect(problems).toEqual([])
      return definition.create(options, { ...CONTEXT, directory })
    }

    async function write(there: Place): Promise<void> {
      const sink = await create(there, '.')
      await sink.open(never)
      for (const n of [1, 2]) {
        const batch = batchOfDocuments([{ n }])
        batch.documents = [{ n }]
        await sink.write(batch, never)
      }
      await sink.flush(never)
      await sink.close()
    }

    test('writes every row once, in order', async () => {
      const there = await place()
      await write(there)
      expect(await there.text()).toBe(text)
    })

    test('may be closed twice, and without having been opened', async () => {
      await (await create(await place(), '.')).close()
      const sink = await create(await place(), '.')
      await sink.open(never)
      await Promise.all([sink.close(), sink.close()])
      await sink.close()
    })

    test('leaves nothing open', async () => {
      await leavingNothingOpen(async () => write(await place()))
    })
  })
}
