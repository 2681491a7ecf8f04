/** What the built package does in programs: when it is imported, bundled, loaded by CommonJS, and on runtimes other than Node. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { existsSync } from 'node:fs'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from './support/documentation.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-package-'))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
})
afterAll(() => rm(folder, { recursive: true }))

async function run(program: string, args: readonly string[], name: string, code: string): Promise<string> {
  await writeFile(join(folder, name), code)
  // A worker of Vitest must not believe to be one of ours.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_)/.test(name)))
  return new Promise((resolve, reject) => {
    execFile(program, [...args, name], { cwd: folder, env, timeout: 120_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr)
      else reject(new Error(`${program} ${name}\n${stdout}${stderr}`, { cause: error }))
    })
  })
}

test('importing it does nothing: no output, no listener, no handle, no global, no change of the environment', async () => {
  const code = `
    import 'node:assert' // which opens standard error to see whether it has colours
    const state = () => JSON.stringify([
      Object.getOwnPropertyNames(globalThis).toSorted(), process.eventNames().map(String).toSorted(), process.env,
      process.getActiveResourcesInfo().toSorted(), Error.stackTraceLimit,
    ])
    const before = state()
    for (const name of ['millrace', 'millrace/broker', 'millrace/metrics']) await import(name)
    if (state() !== before) throw new Error(before + ' became ' + state())`
  expect(await run(process.execPath, [], 'import.mjs', code)).toBe('')
})

test('CommonJS can require it', async () => {
  const code = `
    const { KafkaSink, KafkaSource } = require('millrace')
    console.log(typeof KafkaSink, typeof KafkaSource, typeof require('millrace/broker').startBroker, typeof require('millrace/metrics').METRICS)`
  expect(await run(process.execPath, [], 'require.cjs', code)).toBe('function function function object\n')
})

describe('a bundler', () => {
  /** Bytes of what a program takes along that is loaded at once. */
  async function bytesOf(code: string): Promise<number> {
    const input = join(folder, 'entry.mjs')
    await writeFile(input, code)
    const bundle = await rolldown({ input, platform: 'node', logLevel: 'silent' })
    const { output } = await bundle.generate({ format: 'esm' })
    const chunks = new Map(output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file]] : [])))
    const loaded = new Set<string>()
    const add = (name: string): void => {
      const chunk = chunks.get(name)
      if (chunk === undefined || loaded.has(name)) return
      loaded.add(name)
      for (const each of chunk.imports) add(each)
    }
    add(output[0].fileName)
    return [...loaded].reduce((sum, name) => sum + chunks.get(name)!.code.length, 0)
  }

  test('drops what a program does not use', async () => {
    expect(await bytesOf(`import 'millrace'`)).toBeLessThan(100)
    expect(await bytesOf(`import { isMillraceError } from 'millrace'\nconsole.log(isMillraceError(0))`)).toBeLessThan(
      5000,
    )
    const sink = await bytesOf(`import { KafkaSink } from 'millrace'\nconsole.log(KafkaSink)`)
    const both = await bytesOf(`import { KafkaSink, KafkaSource } from 'millrace'\nconsole.log(KafkaSink, KafkaSource)`)
    expect(sink).toBeLessThan(both * 0.8)
  })
})

/** Of other runtimes; where there are none, they are not tried. */
function found(name: string): string | undefined {
  const named = process.env[name.toUpperCase()]
  const places = (process.env['PATH'] ?? '').split(delimiter).map((place) => join(place, name))
  return [...(named === undefined ? [] : [named]), ...places].find((file) => existsSync(file))
}

const ROUND_TRIP = `
  import { KafkaSink, KafkaSource } from 'millrace'
  import { startBroker } from 'millrace/broker'
  const broker = await startBroker({ topics: { orders: { partitions: 2 } } })
  const { bootstrapServers } = broker
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const sink = new KafkaSink({ bootstrapServers, topic: 'orders', compression })
    await sink.write(Array.from({ length: 100 }, (_, i) => ({ key: 'k' + i, value: JSON.stringify({ i, text: 'x'.repeat(200) }) })))
    await sink.close()
  }
  const ledger = new KafkaSink({ bootstrapServers, topic: 'orders', transactionalId: 'ledger' })
  await ledger.beginTransaction()
  await ledger.send({ value: '{}' })
  await ledger.commitTransaction()
  await ledger.close()
  const source = new KafkaSource({ bootstrapServers, topics: 'orders', groupId: 'readers', untilEnd: true })
  let count = 0
  for await (const { value } of source) count += typeof JSON.parse(value.toString()) === 'object' ? 1 : 0
  await source.close()
  await broker.close()
  console.log(count)`

describe.each([
  ['node', []],
  ['bun', []],
  ['deno', ['run', '--allow-all']],
] as const)('%s', (name, args) => {
  const program = name === 'node' ? process.execPath : found(name)
  test.skipIf(program === undefined)(
    'writes, reads, compresses and commits transactions, and ends by itself',
    async () => {
      expect(await run(program!, args, 'round-trip.mjs', ROUND_TRIP)).toBe('501\n')
    },
  )

  test.skipIf(program === undefined)('runs the command line', async () => {
    const bin = join(ROOT, 'packages/millrace/bin/millrace.js')
    const pipeline = `source: { type: generate, options: { records: 3 } }\nsink: { type: stdout }\n`
    expect(await run(program!, [...args, bin, 'run'], 'three.yaml', pipeline)).toMatch(/read 3 records, wrote 3/)
  })
})
