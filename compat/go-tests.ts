/** Reads what a test program of Go prints with `-test.v=test2json`. */
import type { Result, SuiteContext } from './suite.ts'

/** Of what a failed test printed. */
const KEPT_LINES = 40

interface GoTest {
  readonly lines: string[]
  isOver: boolean
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
 * Reports each test, also those that have others within them, as Go counts them: names may hold slashes that separate nothing,
 * so which test is within which cannot be told from what is printed.
 *
 * @param names the tests that the program was asked to run
 */
export function readGoTests(context: Pick<SuiteContext, 'report' | 'wants'>, names: readonly string[]): GoTests {
  const tests = new Map<string, GoTest>()
  let current: GoTest | undefined
  const testOf = (name: string): GoTest => {
    let test = tests.get(name)
    if (test === undefined) {
      test = { lines: [], isOver: false }
      tests.set(name, test)
    }
    return test
  }
  const report = (test: string, { lines }: GoTest, result: Result): void => {
    if (!context.wants(test)) return
    const text = lines.join('\n')
    context.report({ test, result, ...(text === '' ? {} : { text }) })
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
        test.isOver = true
        report(ended[2]!, test, RESULTS[ended[1] as keyof typeof RESULTS])
      } else if (current !== undefined && PRINTED.test(text)) {
        current.lines.push(line)
        if (current.lines.length > KEPT_LINES) current.lines.shift()
      }
    },
    end() {
      for (const name of names) testOf(name)
      for (const [name, test] of tests) {
        if (test.isOver) continue
        test.lines.push('It had not ended when the program did')
        report(name, test, 'failed')
      }
    },
  }
}
