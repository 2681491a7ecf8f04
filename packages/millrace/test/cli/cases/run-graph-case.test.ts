import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { test as runTests } from '../../../src/cli/test.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-graph-case-'))
})
afterAll(() => rm(directory, { recursive: true }))

const GRAPH = `
[global]
delivery = "exactly_once"
[[stages]]
id = "consume"
function = "kafka"
config = { brokers = "k:9092", topic = "orders", group_id = "g" }
[[stages]]
id = "check"
function = "validate.schema"
inputs = ["consume"]
config = { field_types = { amount = "float" } }
[[stages]]
id = "filter"
function = "filter.apply"
inputs = ["check"]
config = { column = "amount", operator = ">=", value = "100" }
[[stages]]
id = "high"
function = "kafka"
inputs = ["filter"]
config = { brokers = "k:9092", topic = "high", key_field = "id" }
`
const ALL = `
[[stages]]
id = "all"
function = "kafka"
inputs = ["check"]
config = { brokers = "k:9092", topic = "all" }
`
const FILES = `
[[stages]]
id = "load"
function = "json.read"
config = { path = "orders.json" }
[[stages]]
id = "more"
function = "csv.read"
config = { path = "more.csv" }
[[stages]]
id = "sort"
function = "sort.apply"
inputs = ["load", "more"]
config = { by = "n" }
[[stages]]
id = "save"
function = "json.write"
inputs = ["sort"]
config = { path = "never/out.json" }
`

let files = 0
async function write(graph: string, cases: string): Promise<string> {
  const file = join(directory, `${++files}.toml`)
  await writeFile(file, graph)
  await writeFile(file.replace('.toml', '.test.yaml'), `cases: [${cases}]`)
  return file
}

/** What differs in each case; undefined for those that pass. */
async function diffs(graph: string, cases: string): Promise<(readonly string[] | undefined)[]> {
  const { result } = await runTests([await write(graph, cases)], { json: true })
  return (result as { files: { cases: { diff?: string[] }[] }[] }).files[0]!.cases.map(({ diff }) => diff)
}

const problem = async (graph: string, cases: string): Promise<string> =>
  diffs(graph, cases).then(
    () => 'none',
    (error: Error) => error.message,
  )

describe('a test case of a graph', () => {
  test.each([
    {
      name: 'has lists where there is one source and one sink; keys come from the sink',
      graph: GRAPH,
      cases:
        '{given: [{id: 1, amount: 250.5}, {id: 2, amount: 12}], expect: [{id: 1, amount: 250.5, _meta: {key: "1"}}]}',
    },
    {
      name: 'has lists by stage where there are several',
      graph: GRAPH + ALL,
      cases: '{given: {consume: [{id: 1, amount: 2}]}, expect: {all: [{id: 1, amount: 2}], high: []}}',
    },
    {
      name: 'does not compare stages that it does not name',
      graph: GRAPH + ALL,
      cases: '{given: [{id: 1, amount: 200}], expect: {all: [{id: 1, amount: 200}]}}',
    },
    { name: 'may expect an error', graph: GRAPH, cases: '{given: [{amount: x}], error: must have type float}' },
    {
      name: 'has rows of files; stages that keep rows back give them at the end, and nothing is written',
      graph: FILES,
      cases: '{given: {load: [{n: 3}, {n: 1}], more: [{n: 2}]}, expect: [{n: 1}, {n: 2}, {n: 3}]}',
    },
    {
      name: 'knows what is no JSON, and where records come from',
      graph: `[[stages]]\nid="c"\nfunction="kafka"\nconfig={brokers="k:1",topic="t",group_id="g"}\n[[stages]]\nid="s"\nfunction="stdout.write"\ninputs=["c"]`,
      cases:
        '{given: [{_raw: text, _meta: {offset: 7, key: k, timestamp: 5}}], expect: [{_kafka_payload: text, _kafka_key: k, _kafka_partition: 0, _kafka_offset: 7, _kafka_timestamp: 5}]}',
    },
  ])('$name', async ({ graph, cases }) => {
    expect(await diffs(graph, cases)).toEqual([undefined])
  })

  test('shows what differs by stage', async () => {
    const cases = '{given: [{id: 1, amount: 200}], expect: {high: [{id: 2, amount: 200}]}}'
    expect((await diffs(GRAPH + ALL, cases))[0]).toEqual(expect.arrayContaining(['-       "id": 2', '+       "id": 1']))
  })

  test.each([
    {
      name: 'a source that is not there',
      cases: '{given: {consumed: []}, expect: {}}',
      text: 'There is no source "consumed"',
    },
    { name: 'a sink that is not there', cases: '{given: [], expect: {low: []}}', text: 'There is no sink "low"' },
    { name: 'a list where there are two sinks', cases: '{given: [], expect: []}', text: 'there are 2 (high, all)' },
  ])('refuses $name', async ({ cases, text }) => {
    expect(await problem(GRAPH + ALL, cases)).toContain(text)
  })

  test('refuses lists by stage for other files', async () => {
    const linear = 'source = { type = "generate" }\nsink = { type = "stdout" }'
    expect(await problem(linear, '{given: {a: []}, expect: []}')).toContain('the file is not a stage graph')
  })
})
