import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { NEEDS_KAFKA } from './support/needs-kafka.ts'

/** Folders whose files tests import; nothing in them is run by itself. */
const HELPERS = /^(?:support|contract|fixtures)\//

/** A test file without the suffix is never run, and nobody notices. */
test('every file beside the helpers ends in .test.ts, or in .test-d.ts if the compiler alone reads it', () => {
  const root = import.meta.dirname
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  const stray = files.filter((file) => !HELPERS.test(file) && !/\.test(?:-d)?\.ts$/.test(file))
  expect(stray).toEqual([])
})

/** What makes a test an integration test: the broker that all share, and processes, which take longer than all else. */
const OF_INTEGRATION_TESTS =
  /(?:from |import\()'(?:[./]*support\/(?:broker|browser|cli|esbuild)\.ts|node:child_process)'/

/** They start one small program each. */
const SMALL_PROGRAMS = ['cli/completion.test.ts', 'kafka/protocol/crc32c.test.ts', 'catalog.test.ts']

test('every use of the broker and of processes is in a file ending in .integration.test.ts', () => {
  const root = import.meta.dirname
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const unitTests = files.filter((file) => file.endsWith('.test.ts') && !file.endsWith('.integration.test.ts'))
  const stray: string[] = []
  for (const file of unitTests.filter((name) => !SMALL_PROGRAMS.includes(name))) {
    if (OF_INTEGRATION_TESTS.test(readFileSync(join(root, file), 'utf8'))) stray.push(file)
  }
  expect(stray).toEqual([])
})

/** Conditions under which a test has no broker but Apache Kafka. */
const ON_KAFKA_ALONE =
  /(?:describe|test)\.skipIf\([^)]*(?:!javaAvailable|!registryAvailable|\bisEmbedded)\b[^)]*\)(?:\.each\([^)]*\))?\(\s*'([^']+)'/g

test('every test that is skipped on the embedded broker is listed with the reason', () => {
  const root = import.meta.dirname
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.integration.test.ts'),
  )
  const skipped = files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(ON_KAFKA_ALONE)].map(([, name]) => `${file}: ${name}`),
  )
  const listed = Object.entries(NEEDS_KAFKA).flatMap(([file, tests]) =>
    Object.keys(tests).map((name) => `${file}: ${name}`),
  )
  expect(skipped.toSorted()).toEqual(listed.toSorted())
})
