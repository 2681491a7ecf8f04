import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { packTuple } from '../../../../../demo/flow/tuples.ts'
import { numberText } from '../../../src/materialize/records/numbers.ts'
import { RecordText } from '../../../src/materialize/records/record-text.ts'
import { isExact, parseExactly } from '../../../src/records/exact-numbers.ts'

/** A small buffer, so that it has to grow. */
function written(write: (text: RecordText) => void): string {
  const text = new RecordText(Buffer.alloc(3))
  write(text)
  return text.bytes.toString('utf8', 0, text.position)
}

function jsonOf(source: string | Buffer): string {
  const bytes = Buffer.from(source)
  // Bytes around it belong to others.
  const within = Buffer.concat([Buffer.from('"{['), bytes, Buffer.from('"}]9')])
  return written((text) => text.json(within, 3, 3 + bytes.length))
}

/** The same by a parser and a plain walk. */
function expected(value: unknown): string {
  if (typeof value === 'number') return numberText(String(value))
  if (isExact(value)) return numberText(value.rawJSON)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(expected).join(',')}]`
  const members = Object.entries(value).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return `{${members.map(([name, one]) => `${JSON.stringify(name)}:${expected(one)}`).join(',')}}`
}

describe('text of records', () => {
  test.each([
    ['{"b":1,"a":[true,false,null]}', '{"a":[true,false,null],"b":1}'],
    [' { "a" : [ 1 , 2.50 ] , "b" : { } , "c" : [ ] } ', '{"a":[1,2.5],"b":{},"c":[]}'],
    ['{"b":{"z":1,"y":2},"a":1.0}', '{"a":1.0,"b":{"y":2,"z":1}}'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ['{"\\u0061":1,"b":"\\u0041\\/\\u000a\\u001F"}', '{"a":1,"b":"A/\\n\\u001f"}'],
    ['{"10":1,"9":2,"a":3}', '{"10":1,"9":2,"a":3}'],
    ['{"__proto__":1,"A":2}', '{"A":2,"__proto__":1}'],
    ['"\\ud83d\\ude00 é"', '"😀 é"'],
    ['{"😀":1,"\uffff":2}', '{"\uffff":2,"😀":1}'],
    ['[18446744073709551615,-0,1e3,0.10]', '[18446744073709551615,-0.0,1000.0,0.1]'],
    ['{"z":18446744073709551615,"a":-0}', '{"a":-0.0,"z":18446744073709551615}'],
  ])('%s is written as %s', (source, text) => {
    expect(jsonOf(source)).toBe(text)
  })

  test('is what a parser and a sort of all names would make', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4, stringUnit: 'binary' }), (source) => {
        expect(jsonOf(source)).toBe(expected(parseExactly(source)))
      }),
    )
  })

  test('takes values of tuples as it takes the same values in JSON', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 2 })), (values) => {
        for (const value of values) {
          const source = JSON.stringify(value)
          const packed = packTuple([parseExactly(source)])
          expect(written((text) => text.tupleElement(packed, 0, packed.length))).toBe(jsonOf(source))
        }
      }),
    )
  })

  test('escapes a document that becomes a string', () => {
    const document = Buffer.from('{"a":"\\"é\\u0000\\n",\n"b":1.0}')
    expect(JSON.parse(written((text) => text.string(document, 0, document.length)))).toBe(String(document))
  })

  test('has a zero character where a tuple has one', () => {
    const packed = packTuple(['a\0b\u0001é'])
    expect(written((text) => text.tupleElement(packed, 0, packed.length))).toBe('"a\\u0000b\\u0001é"')
  })

  test.each([
    { source: '{"a":1', problem: 'end of the message is not expected' },
    { source: '{a:1}', problem: 'byte 0x61 is not expected' },
    { source: '01', problem: 'not expected' },
    { source: '1.', problem: 'not expected' },
    { source: 'nul', problem: 'not expected' },
    { source: '1 2', problem: 'byte 0x32 is not expected' },
    { source: '"\\x"', problem: 'byte 0x78 is not expected' },
    { source: '"a\nb"', problem: 'byte 0x0a is not expected' },
    { source: '', problem: 'end of the message is not expected' },
    { source: '"\\ud83d"', problem: 'half of a surrogate pair' },
    { source: '{"b":1,"a":"\\ud83d"}', problem: 'half of a surrogate pair' },
    { source: Buffer.from([0x22, 0xff, 0x22]), problem: 'not UTF-8' },
    { source: '1e999', problem: 'out of range' },
    { source: `${'['.repeat(200)}${']'.repeat(200)}`, problem: 'nested more than 127 levels' },
  ])('is refused for $source: $problem', ({ source, problem }) => {
    expect(() => jsonOf(source)).toThrow(problem)
  })
})
