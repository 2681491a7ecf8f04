/** One run of one suite against one broker, and what its outcomes mean. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheFolder } from '../test-bed/java.ts'
import type { SuiteBroker } from './broker.ts'
import { EXPECTED_FAILURES } from './expected-failures.ts'
import type { Outcome, Suite } from './suite.ts'

export interface RunOptions {
  readonly isShort: boolean
  /** Names of the only tests to run; all when omitted. */
  readonly only?: readonly string[] | undefined
  readonly signal: AbortSignal
  /** Starts another broker, with other settings than those of the suite, where that is possible. */
  readonly startAnother: (options: Suite['broker']) => Promise<SuiteBroker | undefined>
  readonly progress: (text: string) => void
}

/** What `--json` prints: how many tests ended how. Those in `expectedFailures` are not in `failed`. */
export interface Summary {
  suite: string
  passed: number
  failed: number
  skipped: number
  expectedFailures: number
}

/** Of what a test says about its failure. */
const SHOWN_LINES = 12

/** Runs the tests of a suite; what each did goes to `progress`. */
export async function runSuite(suite: Suite, broker: SuiteBroker, options: RunOptions): Promise<Summary> {
  const { progress, only } = options
  const cache = join(cacheFolder(), 'compat', suite.name)
  mkdirSync(cache, { recursive: true })
  const scratch = mkdtempSync(join(tmpdir(), `millrace-compat-${suite.name}-`))
  const outcomes: Outcome[] = []
  const others: SuiteBroker[] = []
  let isFinished = false
  try {
    await suite.run({
      suite: suite.name,
      bootstrapServers: broker.bootstrapServers,
      kind: broker.kind,
      isShort: options.isShort,
      cache,
      scratch,
      signal: options.signal,
      startAnother: async (settings) => {
        const other = await options.startAnother(settings)
        if (other !== undefined) others.push(other)
        return other?.bootstrapServers
      },
      only,
      wants: (test) => only?.includes(test) ?? true,
      report: (outcome) => {
        outcomes.push(outcome)
        if (outcome.result === 'passed' && suite.isQuiet === true) return
        progress(describe(outcome, reasonOf(suite, broker, outcome.test)))
      },
      progress,
    })
    isFinished = true
    const missing = (only ?? []).filter((name) => !outcomes.some(({ test }) => test === name))
    if (missing.length > 0) throw new Error(`Suite "${suite.name}" has run no test "${missing.join('", "')}"`)
    return summarize(suite, broker, outcomes)
  } finally {
    for (const other of others) await other.stop()
    if (isFinished && outcomes.every(({ result }) => result !== 'failed'))
      rmSync(scratch, { recursive: true, force: true })
    else progress(`logs are in ${scratch}`)
  }
}

/** A suite that cannot run on this machine. */
export function skipSuite(suite: Suite): Summary {
  return { suite: suite.name, passed: 0, failed: 0, skipped: 1, expectedFailures: 0 }
}

function summarize(suite: Suite, broker: SuiteBroker, outcomes: readonly Outcome[]): Summary {
  const isExpected = ({ test }: Outcome) => reasonOf(suite, broker, test) !== undefined
  const failed = outcomes.filter(({ result }) => result === 'failed')
  return {
    suite: suite.name,
    passed: outcomes.filter(({ result }) => result === 'passed').length,
    failed: failed.filter((outcome) => !isExpected(outcome)).length,
    skipped: outcomes.filter(({ result }) => result === 'skipped').length,
    expectedFailures: failed.filter(isExpected).length,
  }
}

/** Why a test is expected to fail on this broker; `undefined` when it is expected to pass. */
function reasonOf(suite: Suite, broker: SuiteBroker, test: string): string | undefined {
  return EXPECTED_FAILURES[suite.name]?.find(
    (failure) => failure.test === test && (failure.on ?? ['embedded']).includes(broker.kind),
  )?.reason
}

function describe({ test, result, text }: Outcome, reason: string | undefined): string {
  if (result === 'failed' && reason !== undefined) return `expected failure  ${test}: ${reason}`
  const stale = result === 'passed' && reason !== undefined ? '  (listed as an expected failure: remove its row)' : ''
  const lines = (text ?? '').trim().split('\n')
  const why = text === undefined ? '' : `: ${lines.slice(0, SHOWN_LINES).join('\n    ')}`
  return `${result.padEnd(8)}${test}${stale}${why}`
}
