import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-stdio-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('standard input and output', { timeout: 60_000 }, () => {
  const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

  test.each([
    {
      format: 'table',
      want: 'shape: (2, 2)\n┌─────┬──────┐\n│ a   ┆ b    │\n│ --- ┆ ---  │\n│ i64 ┆ str  │\n╞═════╪══════╡\n│ 1   ┆ x    │\n│ 2   ┆ null │\n└─────┴──────┘\n',
    },
    { format: 'jsonl', want: '{"a":1,"b":"x"}\n{"a":2}\n' },
    { format: 'csv', want: 'a,b\n1,x\n2,\n' },
    { format: 'json', pretty: false, want: '[{"a":1,"b":"x"},{"a":2}]\n' },
    { function: 'stdout_stream.write', format: 'text', want: 'a=1 b=x\na=2\n' },
    { function: 'stdout.stream', format: 'csv', want: 'a,b\n1,x\n2,\n' },
  ])('prints $format, and nothing else', async ({ want, function: name = 'stdout.write', ...config }) => {
    const file = join(directory, 'pipe.json')
    await writeFile(
      file,
      JSON.stringify({
        stages: [
          { id: 'in', function: 'stdin.stream' },
          { id: 'out', function: name, inputs: ['in'], config },
        ],
      }),
    )
    const child = spawn(process.execPath, [MAIN, 'run', file], { stdio: ['pipe', 'pipe', 'inherit'] })
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stdin.end('{"a":1,"b":"x"}\n{"a":2}\n')
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect({ code, stdout }).toEqual({ code: 0, stdout: want })
  })
  test.skipIf(!existsSync('/dev/full'))('says so where its output cannot be written', async () => {
    const file = join(directory, 'full.json')
    const stages = [
      { id: 'in', function: 'stdin.stream' },
      { id: 'out', function: 'stdout.write', inputs: ['in'] },
    ]
    await writeFile(file, JSON.stringify({ stages }))
    const full = await open('/dev/full', 'w')
    const child = spawn(process.execPath, [MAIN, 'run', file], { stdio: ['pipe', full.fd, 'pipe'] })
    let stderr = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdin!.end('{"a":1}\n')
    const code = await new Promise((resolve) => child.on('close', resolve))
    await full.close()
    expect(code).toBe(3)
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1)!)).toMatchObject({
      level: 'error',
      code: 'FILE_UNWRITABLE',
      message: 'Cannot write to standard output: the disk is full',
    })
  })
})
