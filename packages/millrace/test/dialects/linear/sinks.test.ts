/** Sinks of linear files: one, several, and those behind stages of their own. */
import { describe, expect, test } from 'vitest'
import { readLinear } from '../../../src/dialects/linear/index.ts'

const from = { type: 'kafka', topic: 'in', bootstrapServers: 'k:9092' }
const to = (topic: string, more: object = {}): object => ({ type: 'kafka', topic, bootstrapServers: 'k:9092', ...more })
const file = { type: 'file', options: { path: 'out.jsonl' } }

function read(content: object): ReturnType<typeof readLinear> {
  return readLinear({ source: from, ...content }, { file: 'x.yaml', directory: '/', name: 'x' })
}

/** Names of the sinks with their topic or path, and stages. */
function shape({ plan }: ReturnType<typeof readLinear>): unknown {
  if (plan === undefined) return undefined
  const sinks = [plan.sink, ...(plan.fanout ?? [])].map(({ options }) => options['topic'] ?? options['path'])
  return { sinks, stages: plan.stages.map(({ name, path }) => `${path.replace(/\.\$.*/, '')} ${name}`) }
}

const match = { $match: { a: 1 } }

describe('sinks', () => {
  test.each([
    { name: 'one', sink: to('a'), want: { sinks: ['a'], stages: [] } },
    {
      name: 'several',
      sink: { fanout: [to('a'), file, to('b')] },
      want: { sinks: ['a', 'out.jsonl', 'b'], stages: [] },
    },
    { name: 'a fanout of one', sink: { fanout: [to('a')] }, want: { sinks: ['a'], stages: [] } },
    {
      name: 'one with a fanout beside it is the first of them',
      sink: to('a', { fanout: [to('b')] }),
      want: { sinks: ['a', 'b'], stages: [] },
    },
    {
      name: 'a fanout within a fanout',
      sink: { fanout: [{ fanout: [to('a'), to('b')] }, to('c')] },
      want: { sinks: ['a', 'b', 'c'], stages: [] },
    },
    {
      name: 'stages, then a sink',
      sink: { type: 'pipeline', pipeline: [match], next: to('a') },
      want: { sinks: ['a'], stages: ['sink.pipeline.0 $match'] },
    },
    {
      name: 'stages, then several',
      sink: { type: 'pipeline', pipeline: [match], next: [to('a'), to('b')] },
      want: { sinks: ['a', 'b'], stages: ['sink.pipeline.0 $match'] },
    },
    {
      name: 'stages, then stages, then a fanout',
      sink: {
        type: 'pipeline',
        pipeline: [match],
        next: { type: 'pipeline', pipeline: [{ $limit: 1 }], next: { fanout: [to('a'), to('b')] } },
      },
      want: { sinks: ['a', 'b'], stages: ['sink.pipeline.0 $match', 'sink.next.pipeline.0 $limit'] },
    },
  ])('$name', ({ sink, want }) => {
    const result = read({ sink })
    expect(result.problems).toEqual([])
    expect(shape(result)).toEqual(want)
  })

  test('take over what a guarantee asks for', () => {
    const { plan, problems } = read({ delivery: 'exactly_once', sink: { fanout: [to('a'), to('b')] } })
    expect(problems).toEqual([])
    expect(plan!.fanout![0]!.options).toMatchObject({ acks: 'all' })
  })

  test.each([
    { name: 'no list', sink: { fanout: 'a' }, path: 'sink.fanout', message: 'must be a list with at least one sink' },
    { name: 'an empty list', sink: { fanout: [] }, path: 'sink.fanout', message: 'found an empty list' },
    {
      name: 'an unknown type',
      sink: { fanout: [to('a'), { type: 'kafak' }] },
      path: 'sink.fanout.1.type',
      message: 'Unknown sink type "kafak"',
    },
    {
      name: 'an unknown option',
      sink: { fanout: [to('a', { topik: 1 })] },
      path: 'sink.fanout.0.topik',
      message: 'Unknown option "topik"',
    },
    {
      name: 'next of another sink',
      sink: to('a', { next: to('b') }),
      path: 'sink.next',
      message: 'Option "next" has an effect only in sinks of type pipeline',
    },
    {
      name: 'stages without a sink',
      sink: { type: 'pipeline', pipeline: [match] },
      path: 'sink',
      message: 'Missing next',
    },
    {
      name: 'stages for one of several',
      sink: { fanout: [to('a'), { type: 'pipeline', pipeline: [match], next: to('b') }] },
      path: 'sink.fanout.1.type',
      message: 'Cannot run stages for one of several sinks',
    },
    {
      name: 'a stage that is none',
      sink: { type: 'pipeline', pipeline: [{ $mtach: {} }], next: to('a') },
      path: 'sink.pipeline.0.$mtach',
      message: 'Unknown stage "$mtach"',
    },
  ])('$name is refused', ({ sink, path, message }) => {
    const { problems } = read({ sink })
    expect(problems).toMatchObject([{ path, message: expect.stringContaining(message) as string }])
  })

  test('that the source reads are reported', () => {
    expect(read({ sink: { fanout: [to('a'), to('in')] } }).warnings).toMatchObject([
      { path: expect.stringContaining('groupId') },
      { path: 'sink.fanout.1' },
    ])
  })
})

describe('several sinks exactly once', () => {
  test.each([
    { name: 'a file among them', other: file, path: 'sink.fanout.1.type', message: 'sink "file"' },
    {
      name: 'another cluster',
      other: { type: 'kafka', options: { topic: 'b', bootstrapServers: 'other:9092' } },
      path: 'sink.fanout.1.options.bootstrapServers',
      message: 'from one cluster to another',
    },
    { name: 'fewer acks', other: to('b', { acks: 1 }), path: 'sink.fanout.1.acks', message: 'with acks "1"' },
    {
      name: 'another compression, as one producer writes to all',
      other: to('b', { 'compression.type': 'zstd' }),
      path: 'sink.fanout.1.compression.type',
      message: 'Option "compression" must be the same as in the first sink',
    },
  ])('$name is refused', ({ other, path, message }) => {
    const { problems } = read({ delivery: 'exactly_once', sink: { fanout: [to('a'), other] } })
    expect(problems).toMatchObject([{ path, message: expect.stringContaining(message) as string }])
  })
})
