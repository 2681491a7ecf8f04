import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/records/batch.ts'
import { codecByName, createDocuments } from '../../src/codecs/index.ts'
import { Failures } from '../../src/engine/failures/failures.ts'
import { StageChain } from '../../src/engine/stage-chain.ts'
import { createSteps, type Steps } from '../../src/engine/steps.ts'
import { createStage } from '../../src/stages/index.ts'
import { batchOf, type MadeRecord } from '../support/batches.ts'

type Value = MadeRecord['value']

function stepsOf(stages: readonly { readonly [name: string]: unknown }[], { from = 'json', to = 'json' } = {}): Steps {
  const list = stages.map((stage, i) => {
    const [name, spec] = Object.entries(stage)[0]!
    return createStage(name, spec, `stages.${i}.${name}`)
  })
  const documents = createDocuments({
    from: codecByName(from),
    to: codecByName(to),
    needsDocuments: true,
    mentionsMeta: JSON.stringify(stages).includes('_meta'),
    includeMeta: false,
  })
  return createSteps({ documents, stages: new StageChain(list), sink: { needsDocuments: false } })
}

/** What goes on: the bytes of each row, new or as they were read. */
function passedBy(batch: Batch | undefined): (string | null)[] {
  return Array.from({ length: batch?.length ?? 0 }, (_, row) => {
    const payload = batch!.payloads?.[row]
    return payload === undefined ? (batch!.value(row)?.toString() ?? null) : payload === null ? null : String(payload)
  })
}

function failuresOf({ list }: Failures): string[] {
  return list.map(({ batch, row, error }) => `${batch.offset(row)} ${error.code}`)
}

/** Two integers that are the same when they are rounded to doubles. */
const BIG = '{"a":{"id":9007199254740993},"b":{"key":9007199254740992}}'

describe('the steps of a batch', () => {
  test.each([
    {
      name: 'decode: values that are not JSON leave it',
      stages: [{ $match: {} }],
      values: ['{"a":1}', '{"half":', '', '{"a":2}', Buffer.from([0xff, 0x22]), null],
      passed: ['{"a":1}', '{"a":2}', null],
      failed: ['101 DECODE_FAILED', '102 DECODE_FAILED', '104 DECODE_FAILED'],
    },
    {
      name: 'a stage that throws on a document leaves out that one',
      stages: [{ $replaceRoot: { newRoot: '$inner' } }],
      values: ['{"inner":{"a":1}}', '{"b":1}', '{"inner":{"a":2}}', null],
      passed: ['{"a":1}', '{"a":2}', null],
      failed: ['101 STAGE_FAILED'],
    },
    {
      name: 'a condition that throws',
      stages: [{ $match: { $expr: { $gt: [{ $toInt: '$n' }, 5] } } }],
      values: ['{"n":"7"}', '{"n":"x"}', '{"n":"3"}', '{"n":"9"}'],
      passed: ['{"n":"7"}', '{"n":"9"}'],
      failed: ['101 STAGE_FAILED'],
    },
    {
      name: 'a projection that throws, and continues after that',
      stages: [{ $project: { n: { $toInt: '$n' }, 'x.y': 1 } }],
      values: ['{"n":"7"}', '{"n":"x"}', '{"n":"9"}'],
      passed: ['{"n":7}', '{"n":9}'],
      failed: ['101 STAGE_FAILED'],
    },
    {
      name: 'each stage sees what is left',
      stages: [{ $set: { n: { $toInt: '$n' } } }, { $match: { n: { $ne: 3 } } }, { $replaceWith: '$inner' }],
      values: ['{"n":"x"}', '{"n":"3"}', '{"n":"4"}', '{"n":"5","inner":{"ok":true}}'],
      passed: ['{"ok":true}'],
      failed: ['100 STAGE_FAILED', '102 STAGE_FAILED'],
    },
    {
      name: 'encode: a document that cannot be written',
      stages: [{ $set: { x: 1, c: { $ifNull: ['$b.key', '$$REMOVE'] } } }],
      values: ['{"a":1}', BIG, '{"a":2}'],
      passed: ['{"a":1,"x":1}', '{"a":2,"x":1}'],
      failed: ['101 ENCODE_FAILED'],
    },
    {
      name: 'encode: a document that does not fit the format of the sink',
      stages: [{ $match: {} }],
      codecs: { from: 'json', to: 'integer' },
      values: ['1', '"one"', '3000000000', '2'],
      passed: ['\0\0\0\u0001', '\0\0\0\u0002'],
      failed: ['101 ENCODE_FAILED', '102 ENCODE_FAILED'],
    },
    {
      name: 'nothing is left',
      stages: [{ $match: {} }],
      values: ['{', '}'],
      passed: [],
      failed: ['100 DECODE_FAILED', '101 DECODE_FAILED'],
    },
    {
      name: 'a record that fails several times counts once',
      stages: [{ $unwind: '$items' }, { $replaceWith: '$items' }],
      values: ['{"items":[1,{"a":1},2]}'],
      passed: ['{"a":1}'],
      failed: ['100 STAGE_FAILED'],
    },
  ] as {
    name: string
    stages: { [name: string]: unknown }[]
    codecs?: { from: string; to: string }
    values: Value[]
    passed: (string | null)[]
    failed: string[]
  }[])('$name', ({ stages, codecs, values, passed, failed }) => {
    const failures = new Failures()
    expect(passedBy(stepsOf(stages, codecs)(batchOf(values), failures.add))).toEqual(passed)
    expect(failuresOf(failures)).toEqual(failed)
    // Without somebody to be told, the first one ends it.
    const first = failed[0]!.split(' ')
    expect(() => stepsOf(stages, codecs)(batchOf(values))).toThrow(
      expect.objectContaining({ code: first[1], offset: BigInt(first[0]!) }),
    )
  })

  test('keep what failed as it was read, for a dead letter', () => {
    const failures = new Failures()
    const headers = [['trace', 'x']] as const
    stepsOf([{ $match: { a: 1 } }, { $set: { a: 2 } }, { $replaceWith: '$inner' }])(
      batchOf([{ value: '{"a":3}' }, { key: 'k', value: '{ "a":1 }', headers }]),
      failures.add,
    )
    const [{ batch, row }] = failures.list as [(typeof failures.list)[0]]
    expect([
      batch.key(row)?.toString(),
      batch.value(row)?.toString(),
      batch.headers(row).map(([name, value]) => [name, value?.toString()]),
      batch.offset(row),
    ]).toEqual(['k', '{ "a":1 }', [['trace', 'x']], 101n])
  })

  test('change nothing for the records beside those that fail, wherever these are', () => {
    const good = fc.record({ a: fc.integer(), b: fc.string() }).map((document) => JSON.stringify(document))
    const bad = fc.constantFrom('{', '', 'nope', '"x')
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 9, arbitrary: good }, { weight: 1, arbitrary: bad }), {
          minLength: 1,
          maxLength: 60,
        }),
        (values) => {
          const isBad = (value: string): boolean => ['{', '', 'nope', '"x'].includes(value)
          const stages = [{ $match: { a: { $gte: -1e9 } } }, { $set: { c: { $add: ['$a', 1] } } }]
          const failures = new Failures()
          const mixed = passedBy(stepsOf(stages)(batchOf(values), failures.add))
          const clean = values.filter((value) => !isBad(value))
          expect(mixed).toEqual(clean.length === 0 ? [] : passedBy(stepsOf(stages)(batchOf(clean))))
          expect(failures.list.length).toBe(values.length - clean.length)
        },
      ),
    )
  })
})
