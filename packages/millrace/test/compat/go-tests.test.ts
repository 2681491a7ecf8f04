import { expect, test } from 'vitest'
import { readGoTests } from '../../../../compat/go-tests.ts'
import type { Outcome } from '../../../../compat/suite.ts'

/** What a test program prints with `-test.v=test2json`; each line of the framework begins with a mark, here written as `@`. */
function outcomesOf(printed: string, names: readonly string[], only?: readonly string[]): Outcome[] {
  const outcomes: Outcome[] = []
  const reader = readGoTests(
    { report: (outcome) => outcomes.push(outcome), wants: (t) => only?.includes(t) ?? true },
    names,
  )
  for (const line of printed.replaceAll('@', '\u0016').split('\n')) reader.onLine(line)
  reader.end()
  return outcomes
}

test('reports tests that ran in turn, beside each other, and within each other', () => {
  const printed = `@=== RUN   TestOne
@--- PASS: TestOne (0.00s)
@=== RUN   TestTwo
@=== PAUSE TestTwo
@=== RUN   TestSkipped
    some_test.go:9: not today
@--- SKIP: TestSkipped (0.00s)
@=== CONT  TestTwo
@=== RUN   TestTwo/a/b
@=== RUN   TestTwo/c
@=== NAME  TestTwo/a/b
    some_test.go:7: got 1 != exp 2
[INFO] a line of the client
a line that did not end@    --- FAIL: TestTwo/a/b (0.00s)
@    --- PASS: TestTwo/c (0.00s)
@--- FAIL: TestTwo (0.01s)
FAIL`
  const names = ['TestOne', 'TestTwo', 'TestSkipped']
  const failure = { test: 'TestTwo/a/b', result: 'failed', text: '    some_test.go:7: got 1 != exp 2' }
  expect(outcomesOf(printed, names)).toEqual([
    { test: 'TestOne', result: 'passed' },
    { test: 'TestSkipped', result: 'skipped', text: '    some_test.go:9: not today' },
    failure,
    { test: 'TestTwo/c', result: 'passed' },
    { test: 'TestTwo', result: 'failed' },
  ])
  expect(outcomesOf(printed, names, ['TestTwo/a/b'])).toEqual([failure])
})

test('reports a test whose name begins like that of another one', () => {
  const printed = `@=== RUN   TestOuter
@=== RUN   TestOuter/range
@=== RUN   TestOuter/range/848
@--- PASS: TestOuter/range (0.00s)
@--- PASS: TestOuter/range/848 (0.00s)
@--- PASS: TestOuter (0.00s)`
  expect(outcomesOf(printed, ['TestOuter']).map(({ test: name }) => name)).toEqual([
    'TestOuter/range',
    'TestOuter/range/848',
    'TestOuter',
  ])
})

test('reports tests that a crash has kept from ending, or from starting', () => {
  const printed = `@=== RUN   TestOuter
@=== RUN   TestOuter/inner
panic: nil map`
  const outcomes = outcomesOf(printed, ['TestOuter', 'TestNever'])
  expect(outcomes.map(({ test: name, result }) => [name, result])).toEqual([
    ['TestOuter', 'failed'],
    ['TestOuter/inner', 'failed'],
    ['TestNever', 'failed'],
  ])
  expect(outcomes[1]!.text).toContain('panic: nil map')
})
