/** Suites whose tests are functions of ours, for clients that bring no tests: a function for each thing that users do. */
import { randomBytes } from 'node:crypto'
import type { Suite, SuiteContext } from './suite.ts'

/** Fails by throwing; `expect` throws with what was there instead. */
export type Test = (context: TestContext) => Promise<void>

export interface TestContext extends SuiteContext {
  /** A name for a topic, group or transactional id that nothing else uses, on no matter which broker. */
  unique(prefix: string): string
  /** So many records, or fewer in the short form. */
  records(count: number): number
}

export interface TestsOptions {
  /** Tests that run at a time; 1 when omitted. */
  readonly atATime?: number
  /** What each test may take, in milliseconds; 180 000 when omitted. It is for what hangs, not for what is slow. A test that takes longer has failed. */
  readonly timeoutMs?: number
  /** Names of tests that the short form leaves out. */
  readonly longOnes?: readonly string[]
}

const SHORT_SHARE = 20
const TIMEOUT_MS = 180_000

/** @returns what runs these tests, by their names */
export function inTurn(tests: Readonly<{ [name: string]: Test }>, options: TestsOptions = {}): Suite['run'] {
  return async (context) => {
    const waiting = Object.entries(tests).filter(
      ([name]) => context.wants(name) && !(context.isShort && options.longOnes?.includes(name) === true),
    )
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        await runTest(context, next[0], next[1], options.timeoutMs ?? TIMEOUT_MS)
    }
    await Promise.all(Array.from({ length: options.atATime ?? 1 }, work))
  }
}

async function runTest(context: SuiteContext, name: string, test: Test, timeoutMs: number): Promise<void> {
  context.signal.throwIfAborted()
  const late = AbortSignal.timeout(timeoutMs)
  const signal = AbortSignal.any([context.signal, late])
  const stopped = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () =>
      reject(late.aborted ? new Error(`It took longer than ${timeoutMs} ms`) : (signal.reason as Error)),
    ),
  )
  stopped.catch(() => {})
  try {
    const running = test({
      ...context,
      signal,
      unique: (prefix) => `${prefix}-${randomBytes(5).toString('hex')}`,
      records: (count) => (context.isShort ? Math.ceil(count / SHORT_SHARE) : count),
    })
    await Promise.race([running, stopped])
    context.report({ test: name, result: 'passed' })
  } catch (error) {
    context.signal.throwIfAborted()
    context.report({ test: name, result: 'failed', text: error instanceof Error ? error.message : String(error) })
  }
}
