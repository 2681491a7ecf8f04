import { describe, expect, test } from 'vitest'
import { compilePattern, problemOfPattern } from '../../../src/broker/groups/patterns.ts'

describe('a pattern', () => {
  test.each([
    { pattern: 'orders-.*', has: ['orders-1', 'orders-'], lacks: ['my-orders-1', 'orders'] },
    { pattern: 'a|bc*', has: ['a', 'b', 'bcc'], lacks: ['ab', 'c'] },
    { pattern: '(?i)Orders', has: ['orders', 'ORDERS'], lacks: ['order'] },
    { pattern: '(?P<first>a+)(?<second>b)', has: ['aab'], lacks: ['b'] },
    { pattern: '[[:alpha:]_]+[[:digit:]-z]', has: ['a_1', 'a-', 'az'], lacks: ['1', 'ay1y'] },
    { pattern: '[]a]', has: [']', 'a'], lacks: ['b'] },
    { pattern: '[^\\d.-]{2,3}', has: ['ab', 'abc'], lacks: ['a', 'a1', 'a-'] },
    { pattern: '\\Qa.b\\E+', has: ['a.b', 'a.bb'], lacks: ['aab'] },
    { pattern: '\\Aa\\z', has: ['a'], lacks: ['b'] },
    { pattern: '^*a\\b*$', has: ['a'], lacks: ['aa'] },
    { pattern: '\\x41\\x{42}\\103\\_\\-', has: ['ABC_-'], lacks: ['ABC'] },
    { pattern: '\\pL\\p{Lu}\\P{Greek}\\p{^L}', has: ['aA-1'], lacks: ['1A-1'] },
    { pattern: 'a{,2}{', has: ['a{,2}{'], lacks: ['aa'] },
  ])('$pattern is read as RE2 reads it', ({ pattern, has, lacks }) => {
    const regex = compilePattern(pattern)
    expect([...has, ...lacks].filter((text) => regex.test(text))).toEqual(has)
  })

  // The texts are those of Apache Kafka 4.3.1.
  test.each([
    ['(?=a)b', 'invalid or unsupported Perl syntax'],
    ['(?<!a)b', 'invalid named capture'],
    ['(a)\\1', 'invalid escape sequence'],
    ['\\u0041', 'invalid escape sequence'],
    ['(', 'missing closing )'],
    ['[a', 'missing closing ]'],
    ['*a', 'missing argument to repetition operator'],
    ['a**', 'invalid nested repetition operator'],
    ['a{1}{2}', 'invalid nested repetition operator'],
    ['\\d{1,2000}', 'invalid repeat count'],
    ['a{3,2}', 'invalid repeat count'],
    ['a\\', 'trailing backslash at end of expression'],
    ['[[:foo:]]', 'invalid character class range'],
  ])('%s is refused', (pattern, problem) => {
    expect(problemOfPattern(pattern)).toBe(problem)
  })

  test('that JavaScript has no equal for is refused', () => {
    expect(problemOfPattern('\\p{Unheard}')).toBe('the embedded broker does not support it')
    expect(problemOfPattern(')')).toBe('unexpected )')
  })
})
