import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/records/batch.ts'
import { textKeys } from '../../src/codecs/keys.ts'
import { attachMeta, type WithMeta } from '../../src/codecs/meta.ts'
import { createFunctionStage, LINE_FUNCTIONS, lintFunctionStage } from '../../src/functions/in-line.ts'
import { FUNCTIONS } from '../../src/functions/index.ts'
import { batchOfDocuments } from '../support/batches.ts'

function decoded(documents: readonly unknown[]): Batch {
  const batch = batchOfDocuments(documents)
  batch.documents = structuredClone([...documents])
  return batch
}

function stageOf(name: string, spec: unknown): ReturnType<typeof createFunctionStage> {
  return createFunctionStage(name, spec, `stages.0.${name}`)
}

describe('functions as stages of linear pipelines', () => {
  test('are those that work on memory alone and keep no rows back', () => {
    expect(LINE_FUNCTIONS.map(({ name }) => name)).toEqual([
      'filter.apply',
      'map.apply',
      'select.apply',
      'distinct.apply',
      'validate.schema',
      'json.extract',
      'chunk.apply',
      'encrypt.apply',
      'decrypt.apply',
    ])
  })

  test('say of every other transform what to write instead', () => {
    for (const { name, kind } of FUNCTIONS) {
      if (kind !== 'transform' || LINE_FUNCTIONS.some((one) => one.name === name)) continue
      const [problem] = lintFunctionStage(name, {}, 'stages.0')!
      expect(problem?.message, name).toMatch(/^Cannot use ".+" in a linear pipeline as it (?:needs all|waits)|windows/)
      expect(problem?.suggestion, name).toMatch(/stage graph/)
    }
  })

  const examples = LINE_FUNCTIONS.flatMap(({ name, examples = [] }) => examples.map((one) => ({ name, ...one })))

  test.each(examples.filter(({ have, options }) => have !== undefined && !('keep' in options)))(
    '$name: the example "$title" is true',
    ({ name, options, have = [], want }) => {
      expect(stageOf(name, options).process(decoded(have))?.documents).toEqual(want)
    },
  )

  test('distinct.apply lets the first through in whatever batch it comes, and forgets what was aborted', () => {
    const stage = stageOf('distinct.apply', { columns: 'id' })
    const pass = (...ids: number[]): unknown[] =>
      (stage.process(decoded(ids.map((id) => ({ id }))))?.documents ?? []).map((row) => (row as { id: number }).id)
    expect(pass(1, 2, 1)).toEqual([1, 2])
    const restore = stage.mark!()
    expect(pass(2, 3)).toEqual([3])
    restore()
    expect(pass(3, 1, 3)).toEqual([3])
  })

  test('distinct.apply does not take where a record came from for a difference', () => {
    const batch = decoded([{ a: 1 }, { a: 1 }])
    batch.documents!.forEach((document, row) => attachMeta(document as WithMeta, batch, row, textKeys))
    expect(stageOf('distinct.apply', {}).process(batch)).toHaveLength(1)
  })

  test('distinct.apply ends the run when it cannot remember more', () => {
    expect(() => stageOf('distinct.apply', { max_rows: 1 }).process(decoded([{ a: 1 }, { a: 1 }, { a: 2 }]))).toThrow(
      'Cannot remember more than 1 different rows in stage "distinct.apply": raise max_rows, or name fewer columns',
    )
    const rows = [{ a: 'x'.repeat(50) }, { a: 'x'.repeat(50) }, { a: 'y' }]
    expect(() => stageOf('distinct.apply', { max_bytes: 50 }).process(decoded(rows))).toThrow(
      'Cannot remember more than 50 B of different rows in stage "distinct.apply": raise max_bytes, or name fewer columns',
    )
  })

  test('validate.schema forgets unique values of an aborted transaction', () => {
    const stage = stageOf('validate.schema', { unique_fields: 'id' })
    const restore = stage.mark!()
    stage.process(decoded([{ id: 1 }]))
    expect(() => stage.process(decoded([{ id: 1 }]))).toThrow(/another row had before/)
    restore()
    expect(stage.process(decoded([{ id: 1 }]))).toHaveLength(1)
  })

  test('chunk.apply makes its lists of one batch, without a key', () => {
    const lists = stageOf('chunk.apply', { batch_size: 2 }).process(decoded([1, 2, 3].map((a) => ({ a }))))!
    expect(lists.documents).toEqual([{ records: [{ a: 1 }, { a: 2 }] }, { records: [{ a: 3 }] }])
    expect(lists.keys).toEqual([null, null])
  })

  test('a value that filter.apply lets through goes out as the bytes that came in', () => {
    const passed = stageOf('filter.apply', { column: 'a', operator: '>', value: 1 }).process(
      decoded([{ a: 1 }, { a: 2 }]),
    )!
    expect(passed.replaced).toBeUndefined()
    expect(passed.value(0)?.toString()).toBe('{"a":2}')
  })
})
