import { Ajv } from 'ajv'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMPONENTS, titleOf } from '../src/cli/components.ts'
import { readPipelineFile } from '../src/dialects/index.ts'
import { documentedPipelines, documents, examples, ROOT, type Block } from './support/documentation.ts'

const schema = JSON.parse(await readFile(join(ROOT, 'docs/schema/pipeline.json'), 'utf8')) as object
const matches = new Ajv({ allErrors: true, strict: false, formats: {} }).compile(schema)
const documented = await documentedPipelines()
const files = await examples()

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-docs-'))
})
afterAll(() => rm(directory, { recursive: true }))

interface Stage {
  readonly id?: string
  readonly function?: string
  readonly inputs?: readonly string[]
}

/** Pages show parts of pipelines; what is missing is put in. */
function completed(value: unknown): unknown {
  if (Array.isArray(value)) return { source: SOURCE, stages: value as unknown[], sink: SINK }
  const content = value as { readonly [name: string]: unknown }
  if ('sources' in content || 'sinks' in content || 'bridges' in content || 'config' in content) return content
  const stages = (Array.isArray(content['stages']) ? content['stages'] : []) as readonly Stage[]
  if (stages.some((stage) => 'function' in stage)) {
    const missing = new Set(
      stages.flatMap(({ inputs = [] }) => inputs).filter((input) => !stages.some(({ id }) => id === input)),
    )
    return {
      ...content,
      stages: [
        ...[...missing].map((id) => ({ id, function: 'csv.read', inputs: [], config: { path: 'in.csv' } })),
        ...stages,
      ],
    }
  }
  return { source: SOURCE, sink: SINK, ...content }
}
const SOURCE = { type: 'kafka', options: { topic: 'in', bootstrapServers: 'localhost:9092' } }
const SINK = { type: 'kafka', options: { topic: 'out', bootstrapServers: 'localhost:9092' } }

async function problemsOf({ value, text }: Block): Promise<readonly string[]> {
  const file = join(directory, 'block.json')
  await writeFile(file, JSON.stringify(completed(value)))
  const variables = [...text.matchAll(/\$\{([A-Z_]\w*)\}/g)].map(([, name]) => [name!, 'value'])
  const { problems } = await readPipelineFile(
    file,
    Object.fromEntries(variables) as { readonly [name: string]: string },
  )
  return problems.map(({ path, message }) => `${path}: ${message}`)
}

function schemaProblems(value: unknown): readonly string[] {
  return matches(value) ? [] : (matches.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

test('every link between pages leads somewhere', async () => {
  const broken: string[] = []
  for (const page of documents()) {
    const text = (await readFile(join(ROOT, page), 'utf8')).replaceAll(/^```.*?^```/gms, '')
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^\w+:/.test(link!)) continue
      const [path, anchor] = link!.split('#') as [string, string?]
      const target = join(ROOT, path === '' ? page : join(dirname(page), path))
      const isThere =
        existsSync(target) && (anchor === undefined || headings(await readFile(target, 'utf8')).includes(anchor))
      if (!isThere) broken.push(`${page}: ${link}`)
    }
  }
  expect(broken).toEqual([])
})

/** As the anchors of headings are made. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

test('there are pipelines in the documentation', () => {
  expect(documented.length).toBeGreaterThan(20)
  expect(files.length).toBeGreaterThanOrEqual(5)
})

describe('documentation', () => {
  test.each(documented)('the pipeline at $place has no problems', async (block) => {
    expect(await problemsOf(block)).toEqual([])
    expect(schemaProblems(completed(block.value))).toEqual([])
  })
})

describe('the pages of components', () => {
  test.each(COMPONENTS.map((component) => ({ title: titleOf(component), component })))(
    'show an example of $title, where it may stand, and all its options',
    async ({ title, component }) => {
      const page = `docs/components/${title.replaceAll(/\W+/g, '-').replace(/-$/, '')}.md`
      const text = await readFile(join(ROOT, page), 'utf8')
      expect(documented.some(({ place }) => place.startsWith(`${page}:`))).toBe(true)
      expect(text).toMatch(/^Used in /m)
      expect(text).toContain(component.summary)
      for (const [option, { meta }] of Object.entries(component.options))
        if (meta.ignored === undefined) expect(text).toContain(`| \`${option}\``)
      expect(await readFile(join(ROOT, 'docs/components/README.md'), 'utf8')).toContain(
        `(${page.replace('docs/components/', '')})`,
      )
    },
  )

  test('are found from the README', async () => {
    expect(await readFile(join(ROOT, 'README.md'), 'utf8')).toContain('(docs/components/README.md)')
    expect(await readFile(join(ROOT, 'docs/README.md'), 'utf8')).toContain('(components/README.md)')
  })
})

// Editors accepted all of these.
describe('the schema for editors', () => {
  const source = { type: 'kafka', options: { topic: 'a', bootstrapServers: 'k' } }
  const sink = { type: 'kafka', options: { topic: 'b', bootstrapServers: 'k' } }
  const withOption = (part: typeof source, option: object): object => ({
    ...part,
    options: { ...part.options, ...option },
  })
  test.each([
    { name: 'a file without a sink', value: { source } },
    { name: 'acks that do not exist', value: { source, sink: withOption(sink, { acks: 2 }) } },
    { name: 'a misspelled reset', value: { source: withOption(source, { 'auto.offset.reset': 'begining' }), sink } },
    { name: 'a misspelled partitioner', value: { source, sink: withOption(sink, { partitioner: 'murmur' }) } },
    { name: 'an unknown error policy', value: { source, sink, errorPolicy: 'ignore' } },
  ])('refuses $name', ({ value }) => expect(schemaProblems(value)).not.toEqual([]))

  test.each([
    { value: { source, sink } },
    { value: { stages: [{ $match: {} }] } },
    { value: { source, sink: withOption(sink, { acks: 1, partitioner: 'DefaultPartitioner' }) } },
    { value: { source: withOption(source, { autoOffsetReset: 'timestamp:2026-01-31' }), sink, errorPolicy: 'skip' } },
    {
      value: { source: withOption(source, { 'auto.offset.reset': '${RESET}' }), sink, errorPolicy: { type: 'retry' } },
    },
  ])('accepts $value', ({ value }) => expect(schemaProblems(value)).toEqual([]))
})

describe('examples', () => {
  test.each(files)('$place has no problems, and editors find none', async ({ place, value }) => {
    const { problems } = await readPipelineFile(join(ROOT, place), {})
    expect(problems).toEqual([])
    expect(schemaProblems(value)).toEqual([])
  })

  test.each(files)('$place names its schema for editors', ({ text }) => {
    // JSON has no comments; it says so in a field.
    const reference = /^(?:# yaml-language-server: \$schema=|#:schema |\{\s*"\$schema": ")([^\s"]+)/m.exec(text)?.[1]
    expect(reference).toBe('../docs/schema/pipeline.json')
  })
})

describe('the schema of pipeline files', () => {
  const sink = { type: 'file', path: 'out.jsonl' }
  const kafka = { brokers: 'k:1', topic: 'x' }
  const hub = { broker: { bootstrap_servers: ['hub:9092'] } }
  const from = { connector: 'kafka-source', topic: 't' }
  const to = { connector: 'kafka-sink', topics: ['t'], consumer_group: 'g' }
  test.each([
    {
      name: 'an unknown option',
      value: { source: { type: 'kafka', options: { topic: 'a', bootstrapServers: 'k:1', topc: 'b' } }, sink },
    },
    { name: 'an unknown option beside type', value: { source: { type: 'generate', seeds: 1 }, sink } },
    { name: 'a missing option', value: { source: { type: 'kafka', options: { bootstrapServers: 'k:1' } }, sink } },
    { name: 'an unknown type', value: { source: { type: 'kafak' }, sink } },
    { name: 'a missing type', value: { source: {}, sink } },
    { name: 'a wrong word', value: { source: { type: 'generate', key: 'customer' }, sink } },
    { name: 'text where a number must be', value: { source: { type: 'generate', records: 'many' }, sink } },
    { name: 'a number out of range', value: { source: { type: 'generate', seed: -1 }, sink } },
    { name: 'an unknown stage', value: { source: { type: 'generate' }, stages: [{ $mtach: {} }], sink } },
    {
      name: 'a stage with two keys',
      value: { source: { type: 'generate' }, stages: [{ $match: {}, $limit: 1 }], sink },
    },
    { name: 'an unknown name at the top', value: { source: { type: 'generate' }, sinc: sink } },
    {
      name: 'a wrong specification of a stage',
      value: { source: { type: 'generate' }, stages: [{ $limit: -1 }], sink },
    },
    {
      name: 'a wrong stage within a stage',
      value: { source: { type: 'generate' }, stages: [{ $facet: { a: [{ $limit: 0 }] } }], sink },
    },
    {
      name: 'a wrong parameter of a function',
      value: { stages: [{ id: 'a', function: 'filter.apply', config: { colunm: 'x', value: 1 } }] },
    },
    {
      name: 'a missing parameter of a function',
      value: { stages: [{ id: 'a', function: 'csv.read', config: { headers: true } }] },
    },
    {
      name: 'a wrong type of a parameter',
      value: { stages: [{ id: 'a', function: 'csv.read', config: { path: 'a.csv', headers: 'perhaps' } }] },
    },
    { name: 'a stage without id', value: { stages: [{ function: 'csv.read', config: { path: 'a.csv' } }] } },
    {
      name: 'a wrong word in error_handling',
      value: {
        error_handling: { strategy: 'ignore' },
        stages: [{ id: 'a', function: 'csv.read', config: { path: 'a.csv' } }],
      },
    },
    { name: 'an unknown connector', value: { ...hub, sources: { a: { connector: 'kafak', topic: 't' } } } },
    {
      name: 'an unknown option of a connector',
      value: { ...hub, sources: { a: { ...from, config: { brokers: 'k:1', topic: 'x', grup: 'y' } } } },
    },
    {
      name: 'a wrong type of an option of a connector',
      value: {
        ...hub,
        sources: { a: { ...from, config: { brokers: 'k:1', topic: 'x', session_timeout_ms: 'long' } } },
      },
    },
    {
      name: 'a missing option of a connector',
      value: { ...hub, sinks: { a: { ...to, config: { brokers: 'k:1' } } } },
    },
    { name: 'a connector without config', value: { ...hub, sinks: { a: to } } },
    {
      name: 'an unknown option beside a config',
      value: { ...hub, sinks: { a: { ...to, topicz: ['t'], config: { brokers: 'k:1', topic: 'x' } } } },
    },
    {
      name: 'a sink without a group',
      value: { ...hub, sinks: { a: { connector: 'stdout', topics: ['t'] } } },
    },
    {
      name: 'an unknown transform',
      value: {
        ...hub,
        sources: { a: { ...from, config: kafka, transforms: [{ type: 'drop', config: { field: 'a' } }] } },
      },
    },
    {
      name: 'a wrong option of a transform',
      value: {
        ...hub,
        sources: {
          a: { ...from, config: kafka, transforms: [{ type: 'filter', config: { field: 'a', equal: 'b' } }] },
        },
      },
    },
    {
      name: 'a bridge without sink',
      value: { bridges: { a: { source: { connector: 'kafka', config: kafka } } } },
    },
    {
      name: 'an unknown name beside sources',
      value: { ...hub, sources: { a: { ...from, config: kafka } }, sinkz: {} },
    },
    { name: 'a wrong hub', value: { broker: { servers: 'k:1' }, sources: { a: { ...from, config: kafka } } } },
    {
      name: 'a file sink on its own without topics',
      value: { ...hub, type: 'file', consumer_group: 'g', config: { path: 'x' } },
    },
    {
      name: 'a connector on its own that may be a source or a sink',
      value: { ...hub, type: 'file', config: { path: 'x' } },
    },
    {
      name: 'a wrong option of a single connector',
      value: { type: 'kafka-source', topic: 't', config: { broker: 'k' } },
    },
    {
      name: 'a wrong security protocol',
      value: { type: 'kafka-source', topic: 't', config: { ...kafka, security: { protocol: 'TLS' } } },
    },
  ])('refuses $name, as lint does', async ({ value }) => {
    expect(schemaProblems(value)).not.toEqual([])
    expect((await problemsOf({ place: '', value, text: '' })).length).toBeGreaterThan(0)
  })

  test.each([
    {
      name: 'Kafka properties',
      value: {
        source: { type: 'kafka', options: { topic: 'a', 'bootstrap.servers': 'k:1', 'auto.offset.reset': 'earliest' } },
        sink,
      },
    },
    {
      name: 'properties that TOML took apart',
      value: {
        source: {
          type: 'kafka',
          options: { topic: 'a', bootstrap: { servers: 'k:1' }, auto: { offset: { reset: 'earliest' } } },
        },
        sink,
      },
    },
    {
      name: 'numbers, booleans and words as text in any case',
      value: {
        source: { type: 'generate', records: '1_000' },
        sink: { type: 'kafka', topic: 'a', bootstrapServers: 'k:1', acks: 'ALL', 'enable.idempotence': 'TRUE' },
      },
    },
    {
      name: 'a number as a word',
      value: { source: { type: 'generate' }, sink: { type: 'kafka', topic: 'a', bootstrapServers: 'k:1', acks: 1 } },
    },
    {
      name: 'every shape of a file of connectors',
      value: {
        version: '1.0',
        ...hub,
        sources: {
          a: { ...from, config: { 'bootstrap.servers': 'k:1', topic: 'x', properties: { 'fetch.max.wait.ms': 5 } } },
          b: { type: 'datagen', topic: 't2', config: { pattern: 'orders' }, enabled: false },
          c: { connector: 'generate', topic: 't3' },
        },
        sinks: { d: { ...to, start_offset: { timestamp: '2026-01-31T00:00:00Z' }, config: { ...kafka, acks: 1 } } },
        bridges: { e: { source: { connector: 'kafka', config: kafka }, sink: { type: 'stdout' } } },
        settings: { topic: { auto_create: false }, retry: { initial_backoff_ms: 50 } },
      },
    },
    {
      name: 'a single connector with a hub and a name',
      value: { type: 'kafka-sink', name: 'one', ...hub, topics: 'a,b', consumer_group: 'g', config: kafka },
    },
    {
      name: 'a file sink on its own, with an option that no source has',
      value: { ...hub, type: 'file', topics: ['t'], consumer_group: 'g', config: { path: 'x', mode: 'append' } },
    },
    {
      name: 'a file source on its own',
      value: { ...hub, type: 'file', topic: 't', config: { path: 'x' } },
    },
    {
      name: 'variables',
      value: {
        source: { type: 'generate', records: '${COUNT:-5}' },
        sink: { type: 'kafka', topic: 'a', bootstrapServers: '${K:-k:1}', acks: '${ACKS:-all}' },
      },
    },
  ])('accepts $name, as lint does', async ({ value }) => {
    expect(schemaProblems(JSON.parse(JSON.stringify(value)))).toEqual([])
    expect(await problemsOf({ place: '', value, text: '' })).toEqual([])
  })
})
