import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'

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

test('every use of the broker is in a file ending in .integration.test.ts', async () => {
  const root = import.meta.dirname
  const { readFile } = await import('node:fs/promises')
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const unitTests = files.filter((file) => file.endsWith('.test.ts') && !file.endsWith('.integration.test.ts'))
  const stray: string[] = []
  for (const file of unitTests) {
    if (/from '[./]*support\/broker\.ts'/.test(await readFile(join(root, file), 'utf8'))) stray.push(file)
  }
  expect(stray).toEqual([])
})
