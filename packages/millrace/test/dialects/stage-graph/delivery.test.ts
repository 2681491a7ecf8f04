import { describe, expect, test } from 'vitest'
import type { GraphPlan } from '../../../src/engine/graph/plan.ts'
import { readStageGraph } from '../../../src/dialects/stage-graph/index.ts'

interface Written {
  readonly id: string
  readonly function: string
  readonly inputs?: readonly string[]
  readonly config?: object
}

const brokers = 'k:9092'
const source = { id: 'in', function: 'kafka', config: { brokers, topic: 'a', group_id: 'g' } }
const map = { id: 'map', function: 'map.apply', inputs: ['in'], config: { expression: 'x', output_column: 'y' } }
const sink = (config: object = {}, id = 'out', input = 'in'): Written => ({
  id,
  function: 'kafka',
  inputs: [input],
  config: { brokers, topic: id, ...config },
})
const step = (name: string, config: object = {}): Written => ({ id: 'step', function: name, inputs: ['in'], config })

/** The plan, and problems as `path: message`. */
async function read(
  stages: readonly Written[],
  more: object = { global: { delivery: 'exactly_once' } },
): Promise<{ readonly graph: GraphPlan | undefined; readonly problems: string[] }> {
  const context = { file: 'x.toml', name: 'x', environment: {} }
  const { graph, problems } = await readStageGraph({ stages, ...more }, context)
  return { graph, problems: problems.map(({ path, message }) => `${path}: ${message}`) }
}

describe('exactly_once in a graph', () => {
  test('reads committed records and writes with acks all', async () => {
    const { graph } = await read([source, map, sink({}, 'out', 'map'), sink({}, 'copy')])
    expect(graph).toMatchObject({
      delivery: 'exactly_once',
      commitIntervalMs: 100,
      nodes: [{ options: { isolation: 'read_committed' } }, {}, { options: { acks: 'all' } }, {}],
    })
  })

  test.each([
    { name: 'in [global]', more: { global: { delivery: 'exactly-once', commit_interval: 'PT0.5S' } } },
    { name: 'at the top', more: { delivery: 'exactlyOnce', commit_interval: 500 } },
    { name: 'in both places', more: { delivery: 'exactly_once', global: { commitInterval: 500 } } },
  ])('can be $name', async ({ more }) => {
    const { graph } = await read([source, sink()], more)
    expect(graph).toMatchObject({ delivery: 'exactly_once', commitIntervalMs: 500 })
  })

  test('may be said once', async () => {
    const more = { delivery: 'exactly_once', global: { delivery: 'at_least_once' } }
    expect((await read([source, sink()], more)).problems).toEqual([
      'delivery: Cannot use both delivery and global.delivery as they set the same thing',
    ])
  })

  test.each<{ name: string; stages: readonly Written[]; problem: [path: string, text: string]; more?: object }>([
    {
      name: 'a file to read',
      stages: [{ id: 'in', function: 'json.read', config: { path: 'x' } }, sink()],
      problem: ['stages.0.function', 'source "json.read" as it cannot take part'],
    },
    {
      name: 'a file to write',
      stages: [source, sink(), { id: 'f', function: 'json.write', inputs: ['in'], config: { path: 'x' } }],
      problem: ['stages.2.function', 'sink "json.write" as it cannot take part'],
    },
    {
      name: 'standard output',
      stages: [source, { id: 'f', function: 'stdout.write', inputs: ['in'] }],
      problem: ['stages.1.function', 'sink "stdout.write" as it cannot take part'],
    },
    {
      name: 'two consumers',
      stages: [source, { ...source, id: 'more' }, { ...sink(), inputs: ['in', 'more'] }],
      problem: ['stages.1', 'more than one source'],
    },
    { name: 'no producer', stages: [source, map], problem: ['stages', 'without a sink'] },
    {
      name: 'another cluster',
      stages: [source, sink(), sink({ brokers: 'other:9092' }, 'far')],
      problem: ['stages.2.config.brokers', 'from one cluster to another'],
    },
    {
      name: 'acks leader',
      stages: [source, sink(), sink({ acks: 1 }, 'fast')],
      problem: ['stages.2.config.acks', 'with acks "1"'],
    },
    {
      name: 'rare commits',
      stages: [source, sink()],
      more: { commit_interval: 'PT20S' },
      problem: ['stages.1.config', 'abort a transaction after 10 s'],
    },
    {
      name: 'uncommitted input',
      stages: [{ ...source, config: { ...source.config, 'isolation.level': 'read_uncommitted' } }, sink()],
      problem: ['stages.0.config.isolation.level', 'read_uncommitted'],
    },
    {
      name: 'producers that differ',
      stages: [source, sink(), sink({ 'compression.type': 'zstd' }, 'small')],
      problem: ['stages.2.config.compression.type', 'must be the same as in the first sink'],
    },
    {
      name: 'dead letters in a file',
      stages: [source, sink()],
      more: { error_handling: { strategy: 'continue', dead_letter_queue: { path: 'dead.jsonl' } } },
      problem: ['error_handling.dead_letter_queue', 'not in a topic of the same cluster'],
    },
    ...[
      step('sort.apply', { by: 'x' }),
      step('distinct.apply', { keep: 'last' }),
      step('groupby.apply', { by: 'x', aggregations: [{ column: 'x', operation: 'sum' }] }),
      step('reduce.apply', { column: 'x', operation: 'sum' }),
      step('chunk.apply'),
      step('window.apply', { size: 2 }),
      step('aggregate.stream', { operation: 'count' }),
      step('http.fetch', { url: 'http://x', mode: 'batch' }),
      step('stage.pipeline', { inline: { stages: [{ id: 'in', function: 'stdin.read' }] } }),
    ].map((one) => ({
      name: one.function,
      stages: [source, one, sink({}, 'out', 'step')],
      problem: ['stages.1.function', `with "${one.function}" as stage "step" holds rows back`] as [string, string],
    })),
  ])('cannot be promised with $name', async ({ stages, problem: [path, text], more = {} }) => {
    const { problems } = await read(stages, { global: { delivery: 'exactly_once' }, ...more })
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${path}: `))])
    expect(problems[0]).toContain(text)
  })

  test('can be promised with distinct.apply, which remembers instead of keeping rows back', async () => {
    const stages = [source, step('distinct.apply', { columns: 'x' }), sink({}, 'out', 'step')]
    expect((await read(stages, { global: { delivery: 'exactly_once' } })).problems).toEqual([])
  })

  test('is refused together with what else is wrong', async () => {
    const more = { global: { delivery: 'exactly_once' }, error_handling: { circuit_breaker: { timeout: '30s' } } }
    const { problems } = await read([source, step('sort.apply', { by: 'x' }), sink({ acks: 1 }, 'out', 'step')], more)
    expect(problems).toEqual([
      expect.stringContaining('error_handling.circuit_breaker.timeout: Cannot read option'),
      expect.stringContaining('stages.2.config.acks: '),
      expect.stringContaining('stages.1.function: '),
    ])
  })

  test('lets one request for each row wait', async () => {
    expect(await read([source, step('http.fetch', { url: 'http://x' }), sink({}, 'out', 'step')])).toMatchObject({
      problems: [],
    })
  })
})

describe('error handling of a graph', () => {
  test('writes dead letters to a topic on the brokers of the producer', async () => {
    const letters = { strategy: 'continue', dead_letter_queue: { topic: 'dead' } }
    const { graph } = await read([source, sink()], { error_handling: letters })
    expect(graph?.errorPolicy).toMatchObject({
      fate: 'deadLetter',
      deadLetters: {
        sink: { component: 'kafka', options: { topic: 'dead', acks: 'all', bootstrapServers: [brokers] } },
        envelope: 'conveyor',
      },
    })
  })

  test('has a circuit breaker for each sink', async () => {
    const error_handling = { circuit_breaker: { failure_threshold: 7, timeout: 'PT2S' } }
    const { graph } = await read([source, sink()], { error_handling })
    expect(graph?.circuitBreaker).toEqual({ failureThreshold: 7, openMs: 2000 })
  })

  test.each([
    { name: 'letters in both places', letters: { path: 'x', topic: 'y' }, problem: 'both are set' },
    { name: 'letters in no place', letters: {}, problem: 'neither is set' },
    { name: 'letters in the topic that is read', letters: { topic: 'a' }, problem: 'as the pipeline reads it' },
  ])('refuses $name', async ({ letters, problem }) => {
    const error_handling = { strategy: 'continue', dead_letter_queue: letters }
    const { problems } = await read([source, sink()], { error_handling })
    expect(problems).toEqual([expect.stringContaining(problem)])
  })

  // Topics of producers were taken for topics that are read, where one name was part of the other.
  test('lets letters be in a topic that is only written', async () => {
    const error_handling = { strategy: 'continue', dead_letter_queue: { topic: 'failed' } }
    expect((await read([source, sink({ topic: 'failed-orders' })], { error_handling })).problems).toEqual([])
  })

  test('refuses letters in a topic when no stage has brokers', async () => {
    const error_handling = { strategy: 'continue', dead_letter_queue: { topic: 'dead' } }
    const stages = [
      { id: 'in', function: 'stdin.read' },
      { id: 'out', function: 'stdout.write', inputs: ['in'] },
    ]
    const { problems } = await read(stages, { error_handling })
    expect(problems).toEqual([expect.stringContaining('no stage has the addresses of brokers')])
  })
})

test.each([
  {
    name: 'in the topic that is read',
    config: { topic: 'a' },
    warnings: ['stages.2.config.topic: Stage "out" writes to topic "a", which stage "in" reads'],
  },
  { name: 'in another one', config: { topic: 'b' }, warnings: [] },
  { name: 'in one of other brokers', config: { topic: 'a', brokers: 'other:9092' }, warnings: [] },
])('a producer $name', async ({ config, warnings }) => {
  const context = { file: 'x.toml', name: 'x', environment: {} }
  const { graph } = await readStageGraph({ stages: [source, map, sink(config, 'out', 'map')] }, context)
  expect(graph?.warnings.map(({ path, message }) => `${path}: ${message}`)).toEqual(
    warnings.map((text) => expect.stringContaining(text) as unknown),
  )
})

test('at_most_once needs a source with offsets', async () => {
  const more = { global: { delivery: 'at_most_once' } }
  expect((await read([source, sink()], more)).problems).toEqual([])
  expect((await read([{ id: 'in', function: 'stdin.read' }, sink()], more)).problems).toEqual([
    expect.stringContaining('stages.0.function: Cannot promise at_most_once for source "stdin.read"'),
  ])
})
