import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** Prints `N passed, N failed` alone on the last line, with `, N skipped` when there are any. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    let passed = 0
    let skipped = 0
    // A module that cannot be read, a failing hook and a stray rejection fail the run without failing a test.
    let failed = unhandledErrors.length
    for (const module of modules) {
      failed += module.errors().length
      for (const suite of module.children.allSuites()) failed += suite.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed++
        else if (state === 'failed') failed++
        else skipped++
      }
    }
    // At the very end, after whatever the other reporters still have to say.
    process.once('exit', (code) => {
      // What fails outside any test, such as a broker that does not start, shows in the exit code only.
      if (code !== 0 && failed === 0) failed = 1
      process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
    })
  }
}
