import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli } from '../support/cli.ts'

const EXAMPLES = join(import.meta.dirname, '../../../../examples')

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-lint-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function write(name: string, text: string): Promise<string> {
  const file = join(directory, name)
  await writeFile(file, text)
  return file
}

test('finds nothing to say about the examples', async () => {
  const files = (await readdir(EXAMPLES))
    .filter((name) => /\.(?:ya?ml|toml|json)$/.test(name) && !name.includes('.test.'))
    .map((name) => join(EXAMPLES, name))
  expect(files.length).toBeGreaterThanOrEqual(5)
  const { code, stdout, stderr } = await cli(['lint', ...files])
  expect(stdout).toBe(`${files.map((file) => `${file}: ok`).join('\n')}\n${files.length} files without problems\n`)
  expect([code, stderr]).toEqual([0, ''])
})

test('prints every problem as FILE:LINE:COL path: message (suggestion) and exits with 2', async () => {
  const file = await write(
    'bad.yaml',
    'source: {type: kafka, topc: a, bootstrapServers: k}\nsink:\n  type: file\n  pth: x\n',
  )
  expect(await cli(['lint', file])).toEqual({
    code: 2,
    stdout: [
      `${file}:1:23 source.topc: Unknown option "topc" (did you mean "topic")`,
      `${file}:4:3 sink.pth: Unknown option "pth" (did you mean "path")`,
      '',
    ].join('\n'),
    stderr: '',
  })
})

test('prints warnings without failing', async () => {
  const file = await write(
    'warned.yaml',
    'source: {type: generate}\nsink: {type: kafka, topic: a, bootstrapServers: k, retries: 3}\n',
  )
  const { code, stdout } = await cli(['lint', file])
  expect(code).toBe(0)
  expect(stdout).toBe(
    `${file}:2:52 sink.retries: warning: Option "retries" has no effect: writes are retried until delivery.timeout.ms has passed\n${file}: ok\n`,
  )
})

test('checks the pipeline files of a folder, test cases apart', async () => {
  const folder = await mkdtemp(join(directory, 'folder-'))
  await mkdir(join(folder, 'node_modules'))
  const pipeline = 'source: {type: generate}\nsink: {type: stdout}\n'
  for (const name of ['b.yaml', 'a.yml', 'node_modules/c.yaml']) await writeFile(join(folder, name), pipeline)
  await writeFile(join(folder, 'b.test.yaml'), 'cases: []')
  await writeFile(join(folder, 'notes.txt'), '')
  const { code, stdout } = await cli(['lint', folder])
  expect([code, stdout]).toEqual([
    0,
    `${join(folder, 'a.yml')}: ok\n${join(folder, 'b.yaml')}: ok\n2 files without problems\n`,
  ])
  const empty = await mkdtemp(join(directory, 'empty-'))
  expect(await cli(['lint', empty])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`Cannot find pipeline files in "${empty}"`),
  })
})

test('continues after a file that cannot be read', async () => {
  const good = await write('good.yaml', 'source: {type: generate}\nsink: {type: file, path: x}\n')
  const missing = join(directory, 'missing.toml')
  const { code, stdout } = await cli(['lint', missing, good])
  expect(code).toBe(2)
  expect(stdout).toBe(
    `${missing}: Cannot read "${missing}": the file does not exist\n${good}: ok\n1 problem in 1 file\n`,
  )
})

test('prints one envelope with --json, and nothing else', async () => {
  const file = await write(
    'bad.json',
    '{"source": {"type": "generate", "seed": -1}, "sink": {"type": "file", "path": "x"}}',
  )
  const { code, stdout, stderr } = await cli(['lint', '--json', file])
  expect([code, stderr]).toEqual([2, ''])
  expect(stdout.trim().split('\n')).toHaveLength(1)
  expect(JSON.parse(stdout)).toEqual({
    command: 'lint',
    ok: false,
    summary: '1 problem in 1 file',
    result: {
      files: [
        {
          file,
          problems: [
            {
              path: 'source.seed',
              line: 1,
              column: 33,
              message:
                'Cannot read option "seed" as it must be a whole number between 0 and 4294967295: current value is -1',
            },
          ],
          warnings: [],
        },
      ],
    },
    error: { code: 'CONFIG_INVALID', message: '1 problem in 1 file' },
  })
})

test('says the same in both ways of being called', async () => {
  const file = await write('twice.yaml', 'source: {type: generate}\nsink: {type: fil}\n')
  const [plain, parsed] = await Promise.all([cli(['lint', file]), cli(['lint', '--', file])])
  expect(parsed).toEqual(plain)
})

// I8
test('never shows a secret', async () => {
  const jaas = 'com.example.Other required password=\\"hush\\";'
  const file = await write(
    'secret.yaml',
    `source: {type: kafka, topic: a, bootstrapServers: k, securityProtocol: SASL_SSL, saslMechanism: PLAIN, saslJaasConfig: "${jaas}", sasl.password: hush, ssl.key.password: 5}\nsink: {type: file, path: x}\n`,
  )
  const { code, stdout, stderr } = await cli(['lint', file])
  expect(code).toBe(2)
  expect(stdout + stderr).not.toContain('hush')
})

test.each([
  { name: 'YAML', text: '# a comment\nsource: {type: generate}\nsink: {type: stdot}\n', want: '-:3:8 sink.type:' },
  { name: 'JSON', text: '{"source": {"type": "generate"},\n "sink": {"type": "stdot"}}', want: '-:2:11 sink.type:' },
  {
    name: 'TOML',
    text: '[source]\ntype = "generate"\n[sink]\ntype = "stdot"\n',
    want: '-:4:1 sink.type:',
  },
])('reads standard input in place of a file, as $name by its looks', async ({ text, want }) => {
  const { code, stdout } = await cli(['lint', '-'], { stdin: text })
  expect([code, stdout]).toEqual([2, expect.stringContaining(`${want} Unknown sink type "stdot"`)])
  expect(await cli(['validate', '-'], { stdin: text.replace('stdot', 'stdout') })).toMatchObject({
    code: 0,
    stdout: '-: ok\n',
  })
})

test('takes variables from files', async () => {
  const file = await write('variables.yaml', 'source: {type: generate, records: "${COUNT}"}\nsink: {type: stdout}\n')
  const variables = await write('variables.env', 'COUNT=5\n')
  expect((await cli(['lint', file])).stdout).toContain('Environment variable "COUNT" is not set')
  expect(await cli(['lint', file, '--env-file', variables])).toMatchObject({ code: 0 })
})

// Which no code of ours can change, as it happens before any of it is loaded; so the help says it.
test('a missing file of variables is reported by Node, which reads it before', async () => {
  expect(await cli(['lint', 'any.yaml', '--env-file', 'missing.env'])).toMatchObject({
    code: 9,
    stderr: expect.stringContaining('missing.env: not found') as unknown,
  })
  expect((await cli(['lint', '--help'])).stdout.replaceAll(/\s+/g, ' ')).toContain(
    'if it is missing, Node says so and exits with 9',
  )
})
