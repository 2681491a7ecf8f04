/**
 * What every stage keeps, written once; see `src/contracts/stage.ts` and `src/stages/definitions/definition.ts`.
 */
import { describe, expect, test, vi } from 'vitest'
import type { Stage } from '../../src/contracts/stage.ts'
import { describe as describeFields } from '../../src/options/describe.ts'
import type { Batch } from '../../src/records/batch.ts'
import type { StageDefinition, StageExample } from '../../src/stages/definitions/definition.ts'
import type { StageName } from '../../src/stages/definitions/index.ts'
import { createStage } from '../../src/stages/index.ts'
import { lintStage } from '../../src/stages/lint/index.ts'
import { batchOfDocuments } from '../support/batches.ts'
import { SENTENCE } from './context.ts'
import { leavingNothingOpen } from './handles.ts'

/** The time at which the examples of the reference happen. */
const NOW = new Date('2026-01-31T12:00:00Z')

export function describeStage(name: StageName, definition: StageDefinition): void {
  const { summary, takes, options = {}, examples } = definition
  const create = (spec: unknown): Stage => createStage(name, spec, 'stages.0')

  describe(`stage ${name}`, () => {
    test('is documented in whole sentences, options included', () => {
      for (const text of [summary, takes]) expect(text).toMatch(/^[A-Z].*\.$/)
      for (const row of describeFields(options)) expect(row.doc, row.name).toMatch(/^[A-Z0-9`].*\.$/s)
    })

    test.each(examples)('turns the input of the example "$title" into its output', ({ spec, have, want }) => {
      expect(have.length).toBeGreaterThan(0)
      expect(lintStage(name, spec, 'stages.0')).toEqual([])
      expect(at(NOW, () => run(create(spec), [have]))).toEqual(want)
    })

    if (definition.wholeBatch === true)
      test.each(examples.filter(({ have }) => have.length > 1))('sees the whole batch of "$title"', (example) => {
        expect(rowByRow(example)).not.toEqual(example.want)
      })
    else
      test.each(examples)('gives the same for "$title", however its records are cut into batches', (example) => {
        expect(rowByRow(example)).toEqual(example.want)
      })

    if (definition.keepsDocuments === true)
      test.each(examples)('keeps the documents of "$title", with key and offset', ({ spec, have }) => {
        const batch = documentsOf(have)
        batch.keys = have.map((_, row) => Buffer.from(`key ${row}`))
        const made = create(spec).process(batch)!
        for (let row = 0; row < made.length; row++)
          // One that was added has none.
          if (made.keys![row] !== null)
            expect(made.keys![row]!.toString()).toBe(`key ${made.offset(row) - batch.firstOffset}`)
      })

    test('leaves the documents alone that it is given', () => {
      const { spec, have } = examples[0]
      const batch = documentsOf(have)
      for (const document of batch.documents!) freeze(document)
      create(spec).process(batch)
      expect(batch.documents).toEqual(have)
    })

    const counting = examples.filter(({ spec }) => create(spec).mark !== undefined)
    if (counting.length > 0)
      test.each(counting)('goes back to a mark, as in "$title"', ({ spec, have, want }) => {
        const stage = create(spec)
        const restore = stage.mark!()
        expect(run(stage, [have])).toEqual(want)
        restore()
        expect(run(stage, [have])).toEqual(want)
      })

    const required = describeFields(options).filter((row) => row.required)
    if (required.length > 0)
      test.each(required)('refuses to be without "$name" with one error, which names it', ({ name: option }) => {
        const { [option]: _, ...rest } = withOptions(examples)
        expect(lintStage(name, rest, 's').map(({ message }) => message)).toEqual([expect.stringContaining(option)])
      })

    test('refuses a value of another type with one error', () => {
      // A list of expressions is an expression.
      const wrong = name === '$sortByCount' ? null : [null]
      const [problem, ...others] = lintStage(name, wrong, 'stages.0')
      expect(others).toEqual([])
      expect(problem!.path).toMatch(/^stages\.0/)
      expect(problem!.message).toMatch(SENTENCE)
      expect(() => create(wrong)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    })

    test('leaves nothing open', async () => {
      const { spec, have } = examples[0]
      await leavingNothingOpen(async () => void run(create(spec), [have]))
    })
  })

  function rowByRow({ spec, have }: StageExample): unknown[] {
    const stage = create(spec)
    return at(NOW, () =>
      run(
        stage,
        have.map((document) => [document]),
      ),
    )
  }
}

/** An example whose value is an object of options. */
function withOptions(examples: readonly StageExample[]): { readonly [option: string]: unknown } {
  return examples.find(({ spec }) => typeof spec === 'object')!.spec as { readonly [option: string]: unknown }
}

/** The documents that a stage makes of batches, one after the other. */
function run(stage: Stage, batches: readonly (readonly unknown[])[]): unknown[] {
  return batches.flatMap((documents) => [...(stage.process(documentsOf(documents))?.documents ?? [])])
}

function documentsOf(documents: readonly unknown[]): Batch {
  const batch = batchOfDocuments(documents)
  batch.documents = structuredClone([...documents])
  return batch
}

function at<T>(now: Date, work: () => T): T {
  vi.useFakeTimers({ now, toFake: ['Date'] })
  try {
    return work()
  } finally {
    vi.useRealTimers()
  }
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  Object.freeze(value)
  Object.values(value).forEach(freeze)
}
