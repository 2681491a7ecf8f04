/** Stages of one shape in the files of the others: what lint says of them, and where. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPipelineFile, type PipelineFile } from '../../src/dialects/index.ts'
import { fileSchema } from '../../src/dialects/schema.ts'
import { Ajv } from 'ajv'
import { parse as parseYaml } from 'yaml'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-shapes-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function read(text: string, ending = 'yaml'): Promise<PipelineFile> {
  const file = join(directory, `file.${ending}`)
  await writeFile(file, text)
  return readPipelineFile(file, {})
}

/** `line:column path: message (suggestion)`, without position where the format has none. */
async function problemsOf(text: string, ending?: string): Promise<string[]> {
  const { problems } = await read(text, ending)
  return problems.map(
    ({ line, column, path, message, suggestion }) =>
      `${line === undefined ? '' : `${line}:${column} `}${path}: ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`,
  )
}

const schemaAccepts = new Ajv({ strict: false }).compile(fileSchema())

const linear = (stages: string): string =>
  `source: {type: generate}\nsink: {type: stdout}\nstages:\n${stages.replaceAll(/^/gm, '  ')}\n`
const graph = (stage: string): string =>
  `stages:\n  - {id: in, function: stdin.read}\n  - {id: out, function: stdout.write, inputs: [a]}\n  - {id: a, inputs: [in], ${stage}}\n`
const connector = (kind: 'sources' | 'sinks' | 'bridges', transforms: string): string => {
  const rest = {
    sources: 'connector: datagen\n    topic: t',
    sinks: 'connector: stdout\n    topics: [t]\n    consumer_group: g',
    bridges: 'source: {connector: datagen}\n    sink: {connector: stdout}',
  }[kind]
  return `broker: {bootstrap_servers: ["a:1"]}\n${kind}:\n  x:\n    ${rest}\n    transforms:\n${transforms.replaceAll(/^/gm, '      ')}\n`
}

describe('functions in linear files', () => {
  test('take the options, defaults and aliases that they have in graphs', async () => {
    const text = linear('- filter.apply: {column: amount, operator: "<>", value: 100}\n- distinct.apply: {subset: a}')
    const { problems, plan } = await read(text)
    expect(problems).toEqual([])
    expect(plan!.stages.map(({ name, path }) => [name, path])).toEqual([
      ['filter.apply', 'stages.0.filter.apply'],
      ['distinct.apply', 'stages.1.distinct.apply'],
    ])
    expect(schemaAccepts(parseYaml(text))).toBe(true)
  })

  test('may be written in TOML without quotes, which makes them tables', async () => {
    const { problems, plan } = await read(
      '[source]\ntype = "generate"\n[sink]\ntype = "stdout"\n[[stages]]\nfilter.apply = {column = "a", value = 1}\n[[stages]]\n"$limit" = 3\n',
      'toml',
    )
    expect(problems).toEqual([])
    expect(plan!.stages.map(({ name, spec }) => [name, spec])).toEqual([
      ['filter.apply', { column: 'a', value: 1 }],
      ['$limit', 3],
    ])
  })

  test('reach globals as stages do', async () => {
    const { plan } = await read(
      `globals: {high: 7}\n${linear('- filter.apply: {column: a, operator: ">", value: $$GLOBALS.high}')}`,
    )
    expect(plan!.stages[0]!.spec).toMatchObject({ value: 7 })
  })

  test.each([
    [
      '- filter.aply: {column: a}',
      '4:5 stages.0.filter.aply: Unknown stage "filter.aply" (did you mean "filter.apply")',
    ],
    ['- match: {a: 1}', '4:5 stages.0.match: Unknown stage "match" (did you mean "$match")'],
    [
      '- filter.apply: {column: a, value: 1, operater: ">"}',
      '4:41 stages.0.filter.apply.operater: Unknown option "operater" (did you mean "operator")',
    ],
    [
      '- filter.apply: {column: a, operator: "<", value: true}',
      '4:46 stages.0.filter.apply.value: Cannot order by a boolean with operator "<" (use == or !=)',
    ],
    ['- map.apply: {expression: a}', /^4:5 stages\.0\.map\.apply: Missing option "output_column"/],
    ['- sort.apply: {by: a}', /^4:5 stages\.0\.sort\.apply: Cannot use "sort\.apply" .* \(use \$sort, which/],
    ['- distinct.apply: {keep: last}', /^4:5 stages\.0\.distinct\.apply: .* with keep "last" .* \(use keep "first"/],
    [
      '- http.fetch: {url: "http://a"}',
      /^4:5 stages\.0\.http\.fetch: .* waits for an HTTP service \(use a stage graph/,
    ],
    ['- csv.read: {path: a}', /^4:5 stages\.0\.csv\.read: Function "csv\.read" is a source/],
    ['- ai.generate: {}', /^4:5 stages\.0\.ai\.generate: Cannot use function "ai\.generate"/],
  ])('%s', async (stages, problem) => {
    const text = linear(stages)
    expect(await problemsOf(text)).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)])
  })
})

describe('stages in stage graphs', () => {
  test('have any kind of value as configuration, in tables of several lines, too', async () => {
    const { problems, graph: plan } = await read(
      `
[global.variables]
high = 100
word = "paid"
[collections]
names = [{ id = 1 }]
[[stages]]
id = "in"
function = "stdin.read"
[[stages]]
id = "match"
function = "$match"
inputs = ["in"]
[stages.config]
status = "{{word}}"
note = "is {{word}}"
[stages.config.amount]
"$gte" = "{{high}}"
"$lt" = "$$GLOBALS.high"
[[stages]]
id = "limit"
function = "$limit"
inputs = ["match"]
config = 5
[[stages]]
id = "unset"
function = "$unset"
inputs = ["limit"]
config = ["a", "b"]
[[stages]]
id = "join"
function = "$lookup"
inputs = ["unset"]
config = { from = "names", localField = "a", foreignField = "id", as = "name" }
[[stages]]
id = "out"
function = "stdout.write"
inputs = ["join"]
`,
      'toml',
    )
    expect(problems).toEqual([])
    expect(plan!.nodes.slice(1, 5).map(({ function: name, options }) => [name, options['spec']])).toEqual([
      ['$match', { status: 'paid', note: 'is paid', amount: { $gte: 100, $lt: 100 } }],
      ['$limit', 5],
      ['$unset', ['a', 'b']],
      ['$lookup', { from: [{ id: 1 }], localField: 'a', foreignField: 'id', as: 'name' }],
    ])
  })

  test.each([
    ['function: $match, config: {a: {$gte: 1}}', undefined],
    ['function: $limit, config: 2', undefined],
    ['function: $mtach, config: {}', '4:27 stages.2.function: Unknown stage "$mtach" (did you mean "$match")'],
    ['function: match, config: {}', '4:27 stages.2.function: Function "match" not found (did you mean "$match")'],
    ['function: $limit, config: 0', '4:45 stages.2.config: $limit must be a whole number above 0: current value is 0'],
    ['function: $unset', /^4:5 stages\.2: \$unset must be a field name or a list/],
    [
      'function: $bucket, config: {groupBy: $a, boundares: []}',
      /stages\.2\.config\.boundares: Unknown option .*boundaries/,
    ],
    ['function: $match, config: {a: {$gt: "{{none}}"}}', /stages\.2\.config\.a\.\$gt: Variable "none" is not defined/],
    [
      'function: $match, config: {a: {$gtee: 1}}',
      '4:58 stages.2.config.a.$gtee: Unknown query operator "$gtee" (did you mean "$gte")',
    ],
    ['function: $set, config: {a: $$GLOBALS.none}', /stages\.2\.config\.a: Unknown name "none" in global\.variables/],
    ['function: $out, config: x', /stages\.2\.function: Stage "\$out" is not available/],
  ])('%s', async (stage, problem) => {
    const text = graph(stage)
    const found = (await problemsOf(text)).filter((one) => !one.includes('takes the rows of stage'))
    if (problem === undefined) expect([found, schemaAccepts(parseYaml(text))]).toEqual([[], true])
    else expect(found).toContainEqual(typeof problem === 'string' ? problem : expect.stringMatching(problem))
  })
})

describe('stages and functions in files of connectors', () => {
  test.each([
    [
      'sources',
      '- $match: {a: 1}\n- filter.apply: {column: b, value: 2}\n- {type: remove_field, config: {field: c}}',
      ['$match', 'filter.apply', '$toEvent'],
    ],
    ['sinks', '- {type: remove_field, config: {field: c}}\n- $unset: d', ['$fromEvent', '$unset']],
    ['bridges', '- map.apply: {expression: a, output_column: b}', ['map.apply']],
  ] as const)('%s have them on their side of the event', async (kind, transforms, stages) => {
    const text = connector(kind, transforms)
    const { problems, plan } = await read(text)
    expect(problems).toEqual([])
    expect(plan!.stages.map(({ name }) => name)).toEqual(stages)
    expect(schemaAccepts(parseYaml(text)), JSON.stringify(schemaAccepts.errors)).toBe(true)
  })

  test.each([
    [
      'sources',
      '- {type: remove_field, config: {field: c}}\n- $match: {a: 1}',
      /transforms\.1\.\$match: A stage works on the value.*\(move it before them\)/,
    ],
    [
      'sinks',
      '- $match: {a: 1}\n- {type: remove_field, config: {field: c}}',
      /transforms\.1: A transform works on the event/,
    ],
    ['bridges', '- {type: remove_field, config: {field: c}}', /transforms\.0: .*and a bridge has none \(use a stage/],
    [
      'sources',
      '- filter.aply: {}',
      /transforms\.0\.filter\.aply: Unknown stage "filter\.aply" \(did you mean "filter\.apply"\)/,
    ],
    ['sinks', '- $limit: x', /transforms\.0\.\$limit: \$limit must be a whole number/],
    [
      'sinks',
      '- {type: filtr, config: {}}',
      /transforms\.0\.type: Unknown transform "filtr" \(did you mean "filter"\)/,
    ],
  ] as const)('%s refuse %s', async (kind, transforms, problem) => {
    expect(await problemsOf(connector(kind, transforms))).toEqual([expect.stringMatching(problem)])
  })
})
