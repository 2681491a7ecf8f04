/** Programs that are bundled with Millrace in them, as services and functions are deployed: without `node_modules` beside them. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from './support/documentation.ts'
import { fetchEsbuild } from './support/esbuild.ts'

/** Starts a broker, writes and reads through it. */
const PROGRAM = `
import { KafkaSink, KafkaSource } from 'millrace'
import { startBroker } from 'millrace/broker'

async function main() {
  const broker = await startBroker({ topics: { orders: 2 }, sasl: { 'SCRAM-SHA-256': { a: 'b' } } })
  const security = { 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'SCRAM-SHA-256', 'sasl.username': 'a', 'sasl.password': 'b' }
  const options = { bootstrapServers: broker.bootstrapServers, ...security }
  const values = []
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const sink = new KafkaSink({ ...options, topic: 'orders', compression })
    await sink.send({ key: 'k', value: compression + ' '.repeat(1000) })
    await sink.close()
  }
  const source = new KafkaSource({ ...options, topics: 'orders', groupId: 'g', untilEnd: true })
  for await (const record of source) values.push(String(record.value).trim())
  await source.close()
  await broker.close()
  console.log(values.join())
}
main()
`
const WRITTEN = 'none,gzip,snappy,lz4,zstd\n'

let folder: string
let program: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-bundled-'))
  program = join(folder, 'program.mjs')
  writeFileSync(program, PROGRAM)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Where bundlers find the package. */
const MODULES = join(ROOT, 'node_modules')

const FORMATS = [
  { name: 'an ES module', format: 'esm', extension: 'mjs' },
  { name: 'CommonJS', format: 'cjs', extension: 'cjs' },
] as const

async function outputOf(file: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: folder })
  expect(stderr).toBe('')
  return stdout
}

describe('a program that esbuild has bundled', () => {
  test.each(FORMATS)('as $name starts and works', async ({ format, extension }) => {
    const esbuild = await fetchEsbuild()
    if (esbuild === undefined) {
      console.warn('Skipped: esbuild-wasm cannot be fetched from npm')
      return
    }
    const file = join(folder, `esbuild.${extension}`)
    const args = ['--bundle', '--platform=node', `--format=${format}`, '--log-level=error', `--outfile=${file}`]
    await promisify(execFile)(process.execPath, [esbuild, program, ...args], {
      env: { ...process.env, NODE_PATH: MODULES },
    })
    expect(await outputOf(file)).toBe(WRITTEN)
  })
})

describe('a program that rolldown has bundled', () => {
  test.each(FORMATS)('as $name starts and works', async ({ format, extension }) => {
    const bundle = await rolldown({
      input: program,
      platform: 'node',
      logLevel: 'silent',
      resolve: { modules: [MODULES] },
    })
    const file = join(folder, `rolldown.${extension}`)
    await bundle.write({ file, format, codeSplitting: false })
    await bundle.close()
    expect(await outputOf(file)).toBe(WRITTEN)
  })
})
