/** The tests of docs/testing.md are run as they are printed, with the package as it is built. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from './support/documentation.ts'

const page = readFileSync(join(ROOT, 'docs/testing.md'), 'utf8')
/** Blocks of code that begin with the name of their file. */
const files = [...page.matchAll(/^```ts\n\/\/ ([\w.-]+)\n([\s\S]*?)^```/gm)].map(([, name, code]) => ({
  name: name!,
  code: code!,
}))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-testing-'))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  for (const { name, code } of files) writeFileSync(join(folder, name), code)
})
afterAll(() => rmSync(folder, { recursive: true }))

async function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    // A worker of Vitest must not believe to be one of ours.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_TEST)/.test(name)))
    execFile(process.execPath, args, { cwd: folder, env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${args.join(' ')}\n${stdout}${stderr}`))
    })
  })
}

describe('docs/testing.md', () => {
  test('has a file for each test runner', () => {
    expect(files.map(({ name }) => name)).toEqual(['orders.test.ts', 'orders.node.test.ts'])
  })

  test('has tests for Vitest that pass', async () => {
    const cli = join(ROOT, 'node_modules/vitest/vitest.mjs')
    await run([cli, 'run', '--root', folder, 'orders.test.ts', '--reporter', 'json', '--outputFile', 'result.json'])
    const result: unknown = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'))
    expect(result).toMatchObject({ numPassedTests: 2, numFailedTests: 0 })
  })

  test('has tests for node:test that pass', async () => {
    expect(await run(['--test', '--test-reporter', 'tap', 'orders.node.test.ts'])).toContain('# pass 1')
  })
})
