/** Options of commands that change how a file is read. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli } from '../support/cli.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-options-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function write(files: { readonly [name: string]: string }): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
}

test('commands read a file in the shape that --dialect names', async () => {
  const file = join(directory, 'slip.yaml')
  await writeFile(file, 'source: { type: generate }\nsinks: { out: { type: stdout } }\n')
  const { code, stdout } = await cli(['lint', file, '--dialect', 'linear'])
  expect(code).toBe(2)
  expect(stdout).toContain(`${file}:2:1 sinks: Unknown option "sinks" (did you mean "sink")`)
  const wrong = await cli(['lint', file, '--dialect', 'fluxion'])
  expect(wrong.code).toBe(2)
  expect(wrong.stderr).toMatch(/Allowed choices are linear, connectors, stage-graph/)
})

test('commands take a file of connections', { timeout: 30_000 }, async () => {
  await write({
    'q.yaml': 'source: { connectionRef: in }\nstages: [{ $set: { a: 1 } }]\nsink: { type: stdout }\n',
    'q.test.yaml': 'cases: [{ name: sets, given: [{}], expect: [{ a: 1 }] }]\n',
    'dev.yaml': '- { connectionRef: in, config: { type: file, path: in.jsonl } }\n',
    'bad.yaml': '- { connectionRef: in, config: { type: file, pth: in.jsonl } }\n',
    'in.jsonl': '{"n":1}\n',
  })
  const run = (command: string, connections: string): ReturnType<typeof cli> =>
    cli([command, 'q.yaml', '--connections', connections], { directory })
  const [ran, tested, linted] = await Promise.all([
    run('run', 'dev.yaml'),
    run('test', 'dev.yaml'),
    run('lint', 'bad.yaml'),
  ])
  expect([ran.stdout, ran.code]).toEqual(['{"n":1,"a":1}\n', 0])
  expect([tested.stdout, tested.code]).toEqual([expect.stringContaining('1 case passed'), 0])
  expect(linted.stdout).toContain('bad.yaml:1:46 0.config.pth: Unknown option "pth" (did you mean "path")')
  expect(linted.code).toBe(2)
})
