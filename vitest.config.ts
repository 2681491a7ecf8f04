import { globSync, readFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { whyNoJava } from './test-bed/java.ts'

const INTEGRATION = ['packages/*/test/**/*.integration.test.ts', 'examples/*/test/**/*.integration.test.ts']

/** Those that use the broker that tests share, or start brokers: what they prove depends on which it is. */
const onBrokers = globSync(INTEGRATION).filter((file) =>
  /support\/(?:broker|topics)\.ts'/.test(readFileSync(file, 'utf8')),
)

/** Without Java, the project `integration` has the embedded broker already. */
const isKafkaThere = (process.env['KAFKA_BOOTSTRAP_SERVERS'] ?? '') !== '' || (await whyNoJava()) === undefined

const PATIENT = { testTimeout: 240_000, hookTimeout: 240_000 }

export default defineConfig({
  test: {
    reporters: ['default', './packages/millrace/test/support/summary-reporter.ts'],
    // Many tests wait for a process or a broker, so two files at a time pay off on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Of tests that mostly wait, and say so.
    maxConcurrency: 2,
    // Tests start the command line some hundred times; its code is compiled once.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'millrace-compile-cache') },
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
          // Modules hold no state that a test could leave behind, so each is loaded once for all files.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: INTEGRATION,
          globalSetup: './packages/millrace/test/support/start-kafka.ts',
          ...PATIENT,
        },
      },
      {
        extends: true,
        test: {
          name: 'embedded',
          // After the other projects, and more at a time: it takes little processor time, and tests mostly wait.
          sequence: { groupOrder: 1 },
          maxWorkers: 2 * Math.max(2, availableParallelism() - 1),
          include: isKafkaThere ? onBrokers : [],
          globalSetup: './packages/millrace/test/support/start-embedded.ts',
          ...PATIENT,
        },
      },
    ],
  },
})
