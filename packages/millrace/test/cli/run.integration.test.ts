import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { orderAt } from '../../src/sources/generate/index.ts'
import { cli, startCli } from '../support/cli.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-run-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function write(name: string, text: string): Promise<string> {
  const file = join(directory, name)
  await writeFile(file, text)
  return file
}

async function linesOf(name: string): Promise<string[]> {
  return (await readFile(join(directory, name), 'utf8')).trimEnd().split('\n')
}

test('runs a pipeline from a source to a file and says what it did', async () => {
  const file = await write(
    'orders.yaml',
    'source: {type: generate, records: 20000, seed: 5}\nstages:\n  - $match: {amount: {$gte: 100}}\n  - $set: {tier: high}\n  - $unset: items\nsink: {type: file, path: out/orders.jsonl, mode: overwrite}\n',
  )
  const { code, stdout } = await cli(['run', file, '--until-end'])
  const want = Array.from({ length: 20_000 }, (_, i) => orderAt(5, i))
    .filter(({ amount }) => amount >= 100)
    .map((order) => ({ ...order, tier: 'high', items: undefined }))
    .map((order) => JSON.parse(JSON.stringify(order)) as unknown)
  expect((await linesOf('out/orders.jsonl')).map((line) => JSON.parse(line) as unknown)).toEqual(want)
  expect(code).toBe(0)
  expect(stdout).toMatch(
    new RegExp(
      `^orders: read 20,000 records, wrote ${want.length.toLocaleString('en-US')} in [\\d.]+ s \\([\\d,]+ read/s\\); reached the end of the source\n$`,
    ),
  )
})

test('prints one envelope with --json, logs as JSON lines on standard error', async () => {
  const file = await write(
    'json.yaml',
    'name: j\nsource: {type: generate, records: 1000, key: none}\nsink: {type: file, path: json.jsonl}\nruntime: {microBatchSize: 5}\n',
  )
  const { code, stdout, stderr } = await cli(['run', '--json', '--until-end', file])
  expect(code).toBe(0)
  expect(stdout.trim().split('\n')).toHaveLength(1)
  expect(JSON.parse(stdout)).toMatchObject({
    command: 'run',
    ok: true,
    error: null,
    result: {
      ended: 'source',
      lag: 0,
      read: { records: 1000 },
      written: { records: 1000 },
      readPerSecond: expect.any(Number),
    },
  })
  const logs = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; message: string; pipeline: string })
  expect(logs[0]).toMatchObject({
    level: 'warn',
    pipeline: 'j',
    message: expect.stringContaining(`${file}:4:11 runtime.microBatchSize: Option "microBatchSize" has no effect`),
  })
  const levels = async (level: string): Promise<string[]> => {
    const run = await cli(['run', '--until-end', '--log-level', level, file])
    return [...new Set([...run.stderr.matchAll(/"level":"(\w+)"/g)].map(([, name]) => name!))]
  }
  expect([await levels('info'), await levels('warn'), await levels('error')]).toEqual([['warn', 'info'], ['warn'], []])
})

test('ends when a stage passes nothing more on', async () => {
  const file = await write(
    'limit.yaml',
    'source: {type: generate}\nstages: [{$limit: 3}]\nsink: {type: file, path: limit.jsonl}\n',
  )
  const { code, stdout } = await cli(['run', file])
  expect([code, stdout]).toEqual([0, expect.stringContaining('a stage ended the run')])
  expect(await linesOf('limit.jsonl')).toHaveLength(3)
})

test('starts again at the first line of a file, values unchanged', async () => {
  await write('in.jsonl', '{"a": 1.0}\n\n{"a":2,  "b":"ä"}\n')
  const file = await write('copy.yaml', 'source: {type: file, path: in.jsonl}\nsink: {type: file, path: copy.jsonl}\n')
  await cli(['run', file])
  await cli(['run', file])
  expect(await linesOf('copy.jsonl')).toEqual(['{"a": 1.0}', '{"a":2,  "b":"ä"}', '{"a": 1.0}', '{"a":2,  "b":"ä"}'])
})

describe('signals', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'the first %s stops gracefully: what was read is written, exit code 0',
    async (signal) => {
      const file = await write(
        `${signal}.yaml`,
        `source: {type: generate, recordsPerSecond: 5000}\nsink: {type: file, path: ${signal}.jsonl}\n`,
      )
      const running = startCli(['run', '--json', file])
      await untilFile(`${signal}.jsonl`)
      running.child.kill(signal)
      const { code, stdout, stderr } = await running.ended
      const { ok, result } = JSON.parse(stdout) as {
        ok: boolean
        result: { ended: string; read: { records: number }; written: { records: number } }
      }
      expect([code, ok, result.ended]).toEqual([0, true, 'signal'])
      expect(result.written.records).toBe(result.read.records)
      expect(await linesOf(`${signal}.jsonl`)).toHaveLength(result.read.records)
      expect(stderr).toContain(`Stopping after ${signal}`)
    },
  )

  // It opened a debugger, which whoever may send the signal could then use.
  test('SIGUSR1 changes nothing', async () => {
    const file = await write(
      'usr1.yaml',
      'source: {type: generate, recordsPerSecond: 5000}\nsink: {type: file, path: usr1.jsonl}\n',
    )
    const running = startCli(['run', '--log-interval', '1', file])
    await untilFile('usr1.jsonl')
    running.child.kill('SIGUSR1')
    await running.stderrHas('"event":"run.progress"')
    running.child.kill('SIGTERM')
    const { code, stderr } = await running.ended
    expect(code).toBe(0)
    expect(stderr).not.toContain('Debugger')
  })

  // A pipeline that was stopped while it connected ended with code 1 and ABORTED. Whoever scales workers up and down stops
  // some of them that early, and took the stop for a failure.
  test('stopped while it still connects, it ends with code 0', async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const connected = new Promise((resolve) => silent.once('connection', resolve))
    const bootstrapServers = `127.0.0.1:${(silent.address() as AddressInfo).port}`
    const options = { topic: 't', bootstrapServers }
    const file = await write(
      'early.json',
      JSON.stringify({ source: { type: 'kafka', options }, sink: { type: 'kafka', options } }),
    )
    const running = startCli(['run', '--json', file])
    try {
      await connected
      running.child.kill('SIGTERM')
      const { code, stdout } = await running.ended
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, result: null, error: null })
    } finally {
      running.child.kill('SIGKILL')
      silent.close()
    }
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('a second %s stops at once with %i', async (signal, want) => {
    // A pipe that nobody reads: what is in flight can never be delivered, so stopping gracefully takes for ever.
    const pipe = join(directory, `pipe-${signal}`)
    execFileSync('mkfifo', [pipe])
    const reader = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const file = await write(`twice-${signal}.yaml`, `source: {type: generate}\nsink: {type: file, path: "${pipe}"}\n`)
    const running = startCli(['run', file])
    try {
      while ((await reader.read(Buffer.alloc(1), 0, 1).catch(() => ({ bytesRead: 0 }))).bytesRead === 0)
        await setTimeout(20)
      running.child.kill(signal)
      await running.stderrHas('Stopping after')
      expect(await Promise.race([running.ended, setTimeout(500, 'still draining')])).toBe('still draining')
      running.child.kill(signal)
      expect((await running.ended).code).toBe(want)
    } finally {
      running.child.kill('SIGKILL')
      await reader.close()
    }
  })

  async function untilFile(name: string): Promise<void> {
    for (;;) {
      const text = await readFile(join(directory, name), 'utf8').catch(() => '')
      if (text !== '') return
      await setTimeout(20)
    }
  }
})

describe('failures', () => {
  test('a wrong file: every problem with its place, exit code 2, nothing is run', async () => {
    const file = await write(
      'bad.yaml',
      'source: {type: generate, records: -1}\nsink: {type: file, pth: never.jsonl}\n',
    )
    const { code, stdout, stderr } = await cli(['run', '--json', file])
    expect(code).toBe(2)
    expect(stderr.trim().split('\n')).toEqual([
      `${file}:1:26 source.records: Cannot read option "records" as it must be a whole number of at least 0: current value is -1`,
      `${file}:2:20 sink.pth: Unknown option "pth" (did you mean "path")`,
    ])
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'run',
      ok: false,
      result: null,
      error: { code: 'CONFIG_INVALID', problems: [{ path: 'source.records', line: 1, column: 26 }, {}] },
    })
  })

  // It ended at once with code 0, as if all were done, and left its group without a word.
  test('the reader of its output is gone: exit code 3', async () => {
    const file = await write('piped.yaml', 'source: {type: generate}\nsink: {type: stdout}\n')
    const running = startCli(['run', file])
    running.child.stdout!.once('data', () => running.child.stdout!.destroy())
    const { code, stderr } = await running.ended
    expect(code).toBe(3)
    expect(lastLog(stderr)).toMatchObject({
      level: 'error',
      code: 'FILE_UNWRITABLE',
      message: 'Cannot write to standard output: its reader has closed it',
    })
  })

  // A full disk for logs ended the run.
  test.skipIf(!existsSync('/dev/full'))('a message that cannot be written does not end it', async () => {
    const file = await write(
      'mute.yaml',
      'source: {type: generate, records: 10}\nsink: {type: file, path: mute.jsonl}\nruntime: {microBatchSize: 5}\n',
    )
    const full = await open('/dev/full', 'w')
    const running = startCli(['run', file], { stderr: full.fd })
    expect(await running.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('wrote 10 ') as unknown })
    await full.close()
  })

  test('a file that is not there: exit code 3', async () => {
    const file = await write(
      'absent.yaml',
      'source: {type: file, path: absent.jsonl}\nsink: {type: file, path: x.jsonl}\n',
    )
    const { code, stdout, stderr } = await cli(['run', file])
    expect([code, stdout]).toEqual([3, ''])
    expect(lastLog(stderr)).toMatchObject({
      level: 'error',
      code: 'FILE_UNREADABLE',
      message: `Cannot read "${join(directory, 'absent.jsonl')}": the file does not exist`,
    })
  })

  test('a value that is not JSON where a document is needed: its line, exit code 1, no stack', async () => {
    await write('broken.jsonl', '{"a":1}\n{"a":\n{"a":3}\n')
    const file = await write(
      'broken.yaml',
      'source: {type: file, path: broken.jsonl}\nstages: [{$match: {a: {$gte: 1}}}]\nsink: {type: file, path: y.jsonl}\n',
    )
    const { code, stderr } = await cli(['run', file])
    expect(code).toBe(1)
    expect(lastLog(stderr)).toMatchObject({
      code: 'DECODE_FAILED',
      message: expect.stringMatching(/offset 2\b/) as unknown,
    })
    expect(stderr).not.toMatch(/\n +at /)
  })

  test('a broker that is not there: its address, how long, the likely cause, exit code 3', async () => {
    const port = await freePort()
    const file = await write(
      'unread.yaml',
      `source: {type: generate}\nsink: {type: kafka, topic: a, bootstrapServers: "127.0.0.1:${port}", max.block.ms: 500}\n`,
    )
    const { code, stderr } = await cli(['run', file])
    expect(code).toBe(3)
    expect(lastLog(stderr)).toMatchObject({
      code: 'BROKER_UNREACHABLE',
      message: expect.stringMatching(
        new RegExp(
          `^No broker could be reached for 0\\.\\d s: Cannot reach broker "127\\.0\\.0\\.1:${port}": connection refused`,
        ),
      ) as unknown,
    })
    expect(stderr).not.toMatch(/\n +at /)
  })
})

/** The last line of a log. */
function lastLog(stderr: string): unknown {
  return JSON.parse(stderr.trim().split('\n').at(-1)!)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
