import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    reporters: ['default', './packages/millrace/test/support/summary-reporter.ts'],
    // Of tests that mostly wait, and say so.
    maxConcurrency: 2,
    // Limits are for what hangs; a busy machine may take long for anything.
    testTimeout: 60_000,
    expect: { poll: { timeout: 60_000 } },
    coverage: { include: ['packages/*/src/**'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['packages/*/test/**/*.integration.test.ts'],
          globalSetup: './packages/millrace/test/support/start-kafka.ts',
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
})
