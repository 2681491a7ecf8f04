/**
 * Clients that others wrote, on the embedded broker: the suites of compat/ that are quick enough, in their short form.
 * `npm run compat` runs the others. Each starts its own broker, so Apache Kafka is not needed.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../support/documentation.ts'

const SUITES = ['java', 'kcat', 'kafkajs']
const TIMEOUT_MS = 600_000

interface Outcome {
  readonly summary: { readonly passed: number; readonly failed: number; readonly skipped: number }
  /** What each test did. */
  readonly progress: string
}

async function run(suite: string): Promise<Outcome> {
  const args = [join(ROOT, 'compat/compat.ts'), suite, '--short', '--json']
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: TIMEOUT_MS }, (error, stdout, progress) => {
      // The exit code is 1 when a test has failed, which the summary says, too.
      if (stdout === '') reject(new Error(`Suite "${suite}" did not end: ${error?.message}\n${progress}`))
      else resolve({ summary: JSON.parse(stdout) as Outcome['summary'], progress })
    })
  })
}

describe('the embedded broker', () => {
  test.for(SUITES)('passes the suite %s', { timeout: TIMEOUT_MS }, async (suite, { skip }) => {
    const { summary, progress } = await run(suite)
    skip(summary.passed === 0 && summary.skipped > 0, progress)
    expect(summary.failed, progress).toBe(0)
    expect(summary.passed).toBeGreaterThan(5)
  })
})
