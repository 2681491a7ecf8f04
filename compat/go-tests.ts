/** Reads what a test program of Go prints with `-test.v=test2json`. */
import type { SuiteContext } from './suite.ts'

/** Of what a failed test printed. */
const KEPT_LINES = 40

interface GoTest {
  readonly lines: string[]
  result: 'passed' | 'failed' | 'skipped' | undefined
  hasTests: boolean
}

const RESULTS = { PASS: 'passed', FAIL: 'failed', SKIP: 'skipped' } as const

/** Begins each line of the framework itself, so that a test cannot print one. */
const MARK = '\u0016'
const STARTED = /^=== (?:RUN|CONT|NAME|PAUSE)\s+(\S*)/
/** What tests print is indented; other lines are of the client's log. */
const PRINTED = /^(?: {4}|panic:)/
const ENDED = /^\s*--- (PASS|FAIL|SKIP): (\S+) \(/

export interface GoTests {
  readonly onLine: (line: string) => void
  /** Reports what has not ended with the program: it crashed, or its time was over. */
  readonly end: () => void
}

/**
 * Reports each test that has no tests within it. One that has is reported only if it failed although those within it did not.
 *
 * @param names the tests that the program was asked to run
 */
export function readGoTests(context: Pick<SuiteContext, 'report' | 'wants'>, names: readonly string[]): GoTests {
  const tests = new Map<string, GoTest>()
  let current: GoTest | undefined
  const testOf = (name: string): GoTest => {
    let test = tests.get(name)
    if (test === undefined) {
      test = { lines: [], result: undefined, hasTests: false }
      tests.set(name, test)
      const end = name.lastIndexOf('/')
      // A name may hold slashes that separate nothing: its nearest test is the one it is in.
      for (let at = end; at > 0; at = name.lastIndexOf('/', at - 1)) {
        const outer = tests.get(name.slice(0, at))
        if (outer !== undefined) outer.hasTests = true
      }
    }
    return test
  }
  const report = (name: string, test: GoTest): void => {
    if (!context.wants(name)) return
    const failedWithin = [...tests].some(
      ([other, { result }]) => other.startsWith(`${name}/`) && (result === 'failed' || result === undefined),
    )
    if (test.hasTests && (test.result !== 'failed' || failedWithin)) return
    const text = test.lines.join('\n')
    context.report({ test: name, result: test.result ?? 'failed', ...(text === '' ? {} : { text }) })
  }
  return {
    onLine(line) {
      const at = line.lastIndexOf(MARK)
      const text = line.slice(at + 1)
      const started = at < 0 ? undefined : STARTED.exec(text)?.[1]
      const ended = at < 0 ? undefined : ENDED.exec(text)
      if (started !== undefined) current = started === '' ? undefined : testOf(started)
      else if (ended !== undefined && ended !== null) {
        const test = testOf(ended[2]!)
        test.result = RESULTS[ended[1] as keyof typeof RESULTS]
        report(ended[2]!, test)
      } else if (current !== undefined && PRINTED.test(text)) {
        current.lines.push(line)
        if (current.lines.length > KEPT_LINES) current.lines.shift()
      }
    },
    end() {
      for (const name of names) testOf(name)
      for (const [name, test] of tests) {
        if (test.result !== undefined) continue
        test.lines.push('It had not ended when the program did')
        report(name, test)
      }
    },
  }
}
