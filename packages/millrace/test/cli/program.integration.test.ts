import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { VERBS } from '../../src/cli/verbs/index.ts'
import { cli, startCli } from '../support/cli.ts'

describe('help', () => {
  test('explains how to get started and what the exit codes mean', async () => {
    const { code, stdout } = await cli(['--help'])
    expect(code).toBe(0)
    for (const text of [
      'Getting started',
      'millrace lint orders.yaml',
      'millrace run orders.yaml --until-end',
      'Exit codes',
      '130  stopped at once by SIGINT',
    ])
      expect(stdout).toContain(text)
  })

  test.each([
    ['run', '--until-end', 'Ctrl-C'],
    ['lint', '--json', 'FILE:LINE:COLUMN'],
    ['explain', '--json', 'delivery guarantee'],
    ['check', '--json', 'consumer group'],
    ['test', '--json', 'orders.test.yaml'],
    ['dry-run', '--max', 'nothing is committed'],
    ['read', '--follow', 'No group is joined'],
    ['discover', '--sample', 'JSON Schema'],
  ])('of %s has its options and an example', async (command, option, text) => {
    const { code, stdout } = await cli([command, '--help'])
    expect(code).toBe(0)
    for (const part of [option, text, 'Example', `millrace ${command} orders.yaml`]) expect(stdout).toContain(part)
  })
})

test('validate is another name for lint', async () => {
  const [lint, validate] = await Promise.all([
    cli(['lint', '--json', 'none.yaml']),
    cli(['validate', '--json', 'none.yaml']),
  ])
  expect(validate).toEqual(lint)
  expect(lint.code).toBe(2)
})

test.each(VERBS)('$name declares what it does', ({ summary, help, options = [] }) => {
  expect(summary).toMatch(/^[a-z].*[^.]$/)
  expect(help).toMatch(/\nExamples?:\n {2}\S/)
  for (const { flags, doc } of options)
    expect(`${flags} ${doc}`).toMatch(/^(?:-\w, )?--[\w-]+(?: [<[][\w=]+[>\]])? \S.*[^.]$/)
})

test('prints the version', async () => {
  for (const args of [['--version'], ['version']])
    expect(await cli(args)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
})

test.each([
  { args: ['lnt'], text: 'Did you mean lint?' },
  { args: ['nonsense', '--help'], text: "unknown command 'nonsense'" },
  { args: ['run'], text: "missing required argument 'file'" },
  { args: ['run'], text: 'millrace run --help' },
  { args: ['lint'], text: "missing required argument 'files'" },
  { args: ['run', '--until-ned', 'x.yaml'], text: 'Did you mean --until-end?' },
  { args: ['run', 'a.yaml', 'b.yaml'], text: 'too many arguments' },
  { args: [], text: 'Usage: millrace' },
])('exits with 2 when the arguments are $args', async ({ args, text }) => {
  const { code, stdout, stderr } = await cli(args)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(text)
})

test('reports wrong arguments as JSON, too', async () => {
  const { code, stdout } = await cli(['run', '--until-ned', '--json', 'x.yaml'])
  expect(code).toBe(2)
  expect(JSON.parse(stdout)).toMatchObject({
    command: 'run',
    ok: false,
    result: null,
    error: { code: 'CONFIG_INVALID', message: expect.stringContaining("unknown option '--until-ned'") as unknown },
  })
})

test('refuses an old Node.js in one line', async () => {
  const pretend =
    'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})'
  const result = await cli(['lint', 'x.yaml'], {
    nodeOptions: ['--import', pretend],
    main: join(import.meta.dirname, '../../bin/millrace.js'),
  })
  expect(result).toEqual({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^millrace needs Node 22\.22 or newer: this is 20\.20\.2\n$/),
  })
})

// It ended without a word on standard output, so that a program that reads the envelope got nothing to read.
test('a command that is interrupted prints its envelope, too', async () => {
  // Nothing answers at the address, and a command that looks waits for ten seconds.
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { child, ended } = startCli(['discover', '-b', `127.0.0.1:${port}`, '--json'])
  await once(server, 'connection')
  child.kill('SIGINT')
  const { code, stdout } = await ended
  server.close()
  expect(code).toBe(130)
  expect(JSON.parse(stdout)).toMatchObject({
    command: 'discover',
    ok: false,
    result: null,
    error: { code: 'ABORTED', message: expect.stringContaining('SIGINT') },
  })
})
