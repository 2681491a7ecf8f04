import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readPipelineFile } from '../../src/dialects/index.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-http-'))
})
afterAll(() => rm(directory, { recursive: true }))

const LINE = 'source: {type: generate, records: 1}\nstages: []\nsink: {type: file, path: out.jsonl}\n'
const GRAPH =
  'stages:\n  - {id: a, function: csv.read, inputs: [], config: {path: in.csv}}\n  - {id: b, function: csv.write, inputs: [a], config: {path: out.csv}}\n'
const HUB = 'broker: {bootstrap_servers: ["localhost:9092"]}\nsources: {a: {connector: datagen, topic: t}}\n'

async function read(text: string): Promise<Awaited<ReturnType<typeof readPipelineFile>>> {
  const file = join(directory, 'pipeline.yaml')
  await writeFile(file, text)
  return readPipelineFile(file, { TOKEN: 's3cret' })
}

test.each([
  ['a line', LINE],
  ['a graph', GRAPH],
  ['connectors', HUB],
])('%s may say where it is watched', async (_, text) => {
  const { plan, graph, problems, warnings } = await read(`http: 9601\n${text}`)
  expect([problems, warnings]).toEqual([[], []])
  expect((plan ?? graph)!.http).toEqual([{ host: '127.0.0.1', port: 9601, token: undefined, hideValues: false }])
  const guarded = await read(
    `http: {listen: "0.0.0.0:80", token: "\${TOKEN}", hideValues: true, partitionMetrics: true}\n${text}`,
  )
  expect((guarded.plan ?? guarded.graph)!.http).toEqual([
    { host: '0.0.0.0', port: 80, token: 's3cret', hideValues: true, partitionMetrics: true },
  ])
})

test.each([
  ['http: {port: 1}', '1:8 http.port: Unknown option "port"'],
  ['http: "a b"', '1:1 http: '],
  ['http: 70000', '1:1 http: '],
])('%s is a problem', async (http, want) => {
  const { problems } = await read(`${http}\n${LINE}`)
  expect(problems.map(({ path, line, column, message }) => `${line}:${column} ${path}: ${message}`).join()).toContain(
    want,
  )
})

test('metrics and health of connectors are on the ports of Rivven', async () => {
  const { plan, problems, warnings } = await read(
    `${HUB}settings: {metrics: {enabled: true}, health: {enabled: true, port: 8081, path: /healthz, host: 0.0.0.0}}\n`,
  )
  expect([problems, warnings]).toEqual([[], []])
  expect(plan!.http).toEqual([
    { host: '127.0.0.1', port: 9091, rivven: { serves: 'metrics', path: '/metrics', sinks: [] } },
    { host: '0.0.0.0', port: 8081, rivven: { serves: 'health', path: '/healthz', sinks: [] } },
  ])
  expect((await read(`${HUB}settings: {metrics: {port: 9999}}\n`)).plan!.http).toEqual([])
})
