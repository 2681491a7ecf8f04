import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mayDiffer, parseExactly, stringifyExactly } from '../../src/records/exact-numbers.ts'
import { exactRow } from '../../src/records/row-digits.ts'
import { newRows } from '../../src/stages/rows.ts'
import { batchOf } from '../support/batches.ts'

/** A document of a record, as it is written. */
function written(document: unknown, value: string | Buffer): string {
  return stringifyExactly(exactRow(document, batchOf([value]), 0))
}

/** Numbers as people and programs write them. */
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,20}$/)),
    fc.option(fc.stringMatching(/^\d{1,20}$/), { nil: undefined }),
    fc.option(fc.stringMatching(/^[eE][-+]?\d{1,3}$/), { nil: undefined }),
  )
  .map(
    ([sign, whole, fraction, exponent]) =>
      `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}${exponent ?? ''}`,
  )

const jsonText = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    numberText,
    fc.string().map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'null'),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }).map((parts) => `[${parts.join(',')}]`),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd"1.0'), tie('value'), { maxKeys: 4 }).map(
    (fields) =>
      `{${Object.entries(fields)
        .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
        .join(',')}}`,
  ),
})).object

describe('numbers of JSON', () => {
  test('keep their digits through parsing and writing, and through a document that is written again', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        // JavaScript orders fields that look like indexes; these do not.
        expect(stringifyExactly(parseExactly(text))).toBe(text)
        const document = JSON.parse(text) as object
        expect(written(document, text)).toBe(text)
        const more = { ...document, more: 1 }
        const before = text === '{}' ? '{' : `${text.slice(0, -1)},`
        expect(written(more, text)).toBe(`${before}"more":1}`)
        const { a: _, ...less } = document as { a?: unknown }
        expect(JSON.parse(written(less, text))).toEqual(less)
      }),
    )
  })

  // Stage graphs, events and groups rounded the numbers of JSON with a schema id.
  test.each([0x22, 0x7b, 0])('have their digits in a value behind schema id %i', (id) => {
    const json = '{"n":9007199254740993,"more":[1.50]}'
    const value = Buffer.concat([Buffer.of(0, 0, 0, 0, id), Buffer.from(json)])
    const document: unknown = JSON.parse(json)
    expect(written(document, value)).toBe(json)
    const batch = batchOf([value])
    batch.documents = [document]
    const made = newRows(batch, [{ max: 2 ** 53 }])!
    expect(stringifyExactly(exactRow(made.documents![0], made, 0))).toBe('{"max":9007199254740993}')
  })

  test('are looked at closely only where some may differ', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        if (!mayDiffer(text)) expect(JSON.stringify(JSON.parse(text))).toBe(text)
      }),
    )
    for (const text of [
      '{"a":5,"b":-1.5,"c":"2.0 1e5 -0 12345678901234567890","d":[10,0,0.25,100000]}',
      '0',
      '"\\"1.0"',
    ])
      expect(mayDiffer(text), text).toBe(false)
  })
})
