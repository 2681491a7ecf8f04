import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalog } from '../../../src/catalog.ts'
import { readAnyPlan } from '../../../src/dialects/index.ts'
import type { RunResult } from '../../../src/engine/plan.ts'
import { runPlan } from '../../../src/engine/run-plan.ts'
import { bootstrapServers, brokerAvailable, ownBroker, uniqueName } from '../../support/broker.ts'
import { cli, startCli } from '../../support/cli.ts'
import { readTopic } from '../../support/read-topic.ts'
import { topicBed } from '../../support/topics.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-graph-'))
})
afterAll(() => rm(directory, { recursive: true }))

const event = (i: number): { key: string; value: string } => ({
  key: `k${i % 7}`,
  value: `{"user_id": ${i},  "event": "purchase", "amount": ${i % 200}}`,
})
const events = (count: number, from = 0): { key: string; value: string }[] =>
  Array.from({ length: count }, (_, i) => event(from + i))

describe.skipIf(!brokerAvailable)('the examples of Conveyor, as they are printed', () => {
  const broker = ownBroker()
  const bed = topicBed(() => broker().bootstrapServers)

  async function example(name: string): Promise<string> {
    const text = await readFile(join(import.meta.dirname, '../../fixtures/conveyor', name), 'utf8')
    const file = join(directory, name)
    await writeFile(file, text.replaceAll('localhost:9092', broker().bootstrapServers))
    return file
  }

  test('the consumer writes the events with where they came from', async () => {
    await bed().admin.createTopic({ name: 'events', partitions: 1 })
    await bed().write('events', [
      {
        key: 'user-123',
        value: '{"user_id": 123, "event": "purchase", "nested": {"a": [1, null]}, "big": 9007199254740993}',
        timestampMs: 1_704_067_200_000,
      },
      { key: null, value: 'raw message content', timestampMs: 1_704_067_200_001 },
      { key: 'message-key', value: '[1]', timestampMs: 1_704_067_200_002 },
      { key: 'gone', value: null, timestampMs: 1_704_067_200_003 },
      { key: 'empty', value: '', timestampMs: 1_704_067_200_004 },
    ])
    const { read } = await run(await example('kafka-consumer-example.toml'))
    expect(read.records).toBe(5)
    const text = await readFile(join(directory, 'output/events.json'), 'utf8')
    expect(text).toContain('"big":9007199254740993')
    const at = (offset: number): object => ({
      _kafka_partition: 0,
      _kafka_offset: offset,
      _kafka_timestamp: 1_704_067_200_000 + offset,
    })
    expect(JSON.parse(text.replace('9007199254740993', '1'))).toEqual([
      { user_id: 123, event: 'purchase', nested: { a: [1, null] }, big: 1, _kafka_key: 'user-123', ...at(0) },
      { _kafka_payload: 'raw message content', ...at(1) },
      { _kafka_payload: [1], _kafka_key: 'message-key', ...at(2) },
      { _kafka_payload: null, _kafka_key: 'gone', ...at(3) },
      { _kafka_payload: '', _kafka_key: 'empty', ...at(4) },
    ])
  })

  test('the producer writes the rows of a file, keyed by a column of numbers', async () => {
    await bed().admin.createTopic({ name: 'output-events', partitions: 3 })
    await mkdir(join(directory, 'data'), { recursive: true })
    await writeFile(
      join(directory, 'data/events.json'),
      JSON.stringify([{ event_id: 1, n: { a: [true] } }, { event_id: 'b' }, { n: 3 }]),
    )
    await run(await example('kafka-producer-example.toml'))
    const { records } = await readTopic(bed().cluster, 'output-events')
    expect(new Map(records.map(({ key, value }) => [key, String(value)]))).toEqual(
      new Map([
        ['1', '{"event_id":1,"n":{"a":[true]}}'],
        ['b', '{"event_id":"b"}'],
        [null, '{"n":3}'],
      ]),
    )
  })

  test('the blocks of the text, put together, move records with their keys from "user_id"', async () => {
    for (const name of ['my-topic', 'output-topic']) await bed().admin.createTopic({ name, partitions: 3 })
    await bed().write('my-topic', events(1100))
    const block = (name: string): Promise<string> =>
      example(`block-${name}.toml`).then((file) => readFile(file, 'utf8'))
    const file = join(directory, 'blocks.toml')
    const previous = '[[stages]]\nid = "previous_stage"\nfunction = "filter.apply"\ninputs = ["consume"]\n'
    const positive = '[stages.config]\ncolumn = "amount"\noperator = ">="\nvalue = 0\n'
    const blocks = [await block('plugins'), await block('consumer'), previous, positive, await block('producer')]
    await writeFile(file, `[pipeline]\nname = "blocks"\n\n${blocks.join('\n')}`)
    expect(await run(file, { untilEnd: false })).toMatchObject({ read: { records: 1000 } })
    const { records } = await readTopic(bed().cluster, 'output-topic')
    expect(records).toHaveLength(1000)
    for (const { key, value } of records)
      expect(key).toBe(String((JSON.parse(String(value)) as { user_id: number }).user_id))
  })

  test('the ETL pipeline filters by a number given as text, in runs of 1000, values as the bytes that came in', async () => {
    for (const name of ['raw-events', 'processed-events']) await bed().admin.createTopic({ name, partitions: 3 })
    await bed().write('raw-events', [...events(1300), { key: 'x', value: 'no json' }])
    const file = await example('kafka-etl-example.toml')
    // Without a bound of ours: max_messages ends the run.
    expect(await run(file, { untilEnd: false })).toMatchObject({ read: { records: 1000 } })
    expect(await run(file)).toMatchObject({ read: { records: 301 } })
    expect(await run(file)).toMatchObject({ read: { records: 0 } })
    const { records } = await readTopic(bed().cluster, 'processed-events')
    const want = events(1300).filter((_, i) => i % 200 >= 100)
    expect(records.map(({ value }) => String(value)).toSorted()).toEqual(want.map(({ value }) => value).toSorted())
    for (const { key, value } of records)
      expect(key).toBe(String((JSON.parse(String(value)) as { user_id: number }).user_id))
  })
})

async function run(file: string, { untilEnd = true }: { readonly untilEnd?: boolean } = {}): Promise<RunResult> {
  const never = new AbortController().signal
  const plan = await readAnyPlan(file)
  if (!('nodes' in plan)) throw new Error('not a graph')
  // Paths are relative to where the command runs; this process runs elsewhere.
  const here = { ...plan, directory, folders: [directory] }
  return runPlan(here, { components: catalog, signal: never, abort: never, untilEnd, warn: () => {} })
}

interface Stage {
  readonly id: string
  readonly function: string
  readonly inputs?: readonly string[]
  readonly config?: { readonly [name: string]: unknown }
}

/** A file of any format; JSON carries the shape as TOML does. */
async function graph(stages: readonly Stage[], more: object = {}): Promise<string> {
  const file = join(directory, `${uniqueName('graph')}.json`)
  await writeFile(file, JSON.stringify({ pipeline: { name: 'test' }, stages, ...more }))
  return file
}

const consume = (topic: string, config: object = {}, id = 'consume'): Stage => ({
  id,
  function: 'kafka',
  config: { brokers: bootstrapServers(), topic, group_id: uniqueName('group'), max_messages: 1_000_000, ...config },
})
const produce = (topic: string, inputs: readonly string[], config: object = {}, id = 'produce'): Stage => ({
  id,
  function: 'kafka',
  inputs,
  config: { brokers: bootstrapServers(), topic, ...config },
})

describe.skipIf(!brokerAvailable)('a graph of stages', () => {
  const bed = topicBed()
  const values = async (topic: string): Promise<string[]> => (await bed().values(topic)).flat().toSorted()

  test('fans out and in, and a producer passes on what it was given', async () => {
    const [a, b, all, high] = await Promise.all([
      bed().create({ partitions: 2 }),
      bed().create(),
      bed().create({ partitions: 2 }),
      bed().create(),
    ])
    await bed().write(a, events(300))
    await bed().write(b, events(10, 1000))
    const file = await graph([
      consume(a, {}, 'a'),
      consume(b, {}, 'b'),
      produce(all, ['a', 'b'], {}, 'all'),
      {
        id: 'filter',
        function: 'filter.apply',
        inputs: ['all'],
        config: { column: 'amount', operator: '>=', value: 150 },
      },
      produce(high, ['filter'], {}, 'high'),
      { id: 'save', function: 'json.write', inputs: ['filter', 'b'], config: { path: 'fan.jsonl', format: 'jsonl' } },
    ])
    expect(await run(file)).toMatchObject({ read: { records: 310 } })
    const input = [...events(300), ...events(10, 1000)].map(({ value }) => value)
    const wanted = events(300)
      .map(({ value }) => value)
      .filter((_, i) => i % 200 >= 150)
    expect(await values(all)).toEqual(input.toSorted())
    expect(await values(high)).toEqual(wanted.toSorted())
    expect((await readFile(join(directory, 'fan.jsonl'), 'utf8')).split('\n')).toHaveLength(wanted.length + 10)
  })

  test('forwards record batches still compressed when nothing looks at them', async () => {
    const [from, to] = [await bed().create(), await bed().create()]
    await bed().write(from, events(3000), { compression: 'gzip', batchBytes: 65_536 })
    await run(await graph([consume(from), produce(to, ['consume'])]))
    const { batches, records } = await readTopic(bed().cluster, to)
    expect(records.map(({ value }) => String(value))).toEqual(events(3000).map(({ value }) => value))
    expect(new Set(batches.map(({ codec }) => codec))).toEqual(new Set([1]))
  })

  test('sorts, groups and writes what it was asked for about origins, and nothing else', async () => {
    const [from, to] = [await bed().create(), await bed().create()]
    await bed().write(from, [
      { key: 'x', value: '{"a": 3, "big": 9007199254740993}' },
      { key: 'y', value: '{"a": 1}' },
      { key: 'z', value: '{"a": 2}' },
    ])
    await run(
      await graph([
        consume(from),
        { id: 'sort', function: 'sort.apply', inputs: ['consume'], config: { by: 'a' } },
        {
          id: 'map',
          function: 'map.apply',
          inputs: ['sort'],
          config: { expression: '_kafka_offset * 2', output_column: 'twice' },
        },
        produce(to, ['map'], {}, 'mapped'),
        produce(to, ['sort'], {}, 'as-it-was'),
        { id: 'select', function: 'select.apply', inputs: ['sort'], config: { columns: 'a,_kafka_key' } },
        produce(to, ['select'], {}, 'selected'),
        produce(to, ['sort'], { include_metadata: true }, 'all'),
      ]),
    )
    const { records } = await readTopic(bed().cluster, to)
    const texts = records.map(({ value }) => String(value))
    expect(texts).toEqual(
      expect.arrayContaining([
        '{"a":1,"twice":2}',
        '{"a":2,"twice":4}',
        '{"a":3,"big":9007199254740993,"twice":0}',
        '{"a": 3, "big": 9007199254740993}',
        '{"a":1,"_kafka_key":"y"}',
        expect.stringMatching(
          /^\{"a":2,"_kafka_key":"z","_kafka_partition":0,"_kafka_offset":2,"_kafka_timestamp":\d+\}$/,
        ),
      ]),
    )
    expect(texts).toHaveLength(12)
    expect(records.slice(0, 3).map(({ key }) => key)).toEqual(['y', 'z', 'x'])
  })

  test('commits nothing when one of two branches fails (I1)', async () => {
    const [from, good] = [await bed().create(), await bed().create()]
    const narrow = await bed().create({ configs: { 'max.message.bytes': '100' } })
    await bed().write(from, events(50))
    const group = uniqueName('group')
    const stages = (bad: string): Stage[] => [
      consume(from, { group_id: group }),
      produce(good, ['consume'], {}, 'good'),
      produce(bad, ['consume'], {}, 'bad'),
    ]
    await expect(run(await graph(stages(narrow)))).rejects.toMatchObject({
      code: expect.stringMatching(/BATCH_FAILED|RECORD_TOO_LARGE/) as unknown,
    })
    const wide = await bed().create()
    expect(await run(await graph(stages(wide)))).toMatchObject({ read: { records: 50 } })
    expect(await values(wide)).toEqual(
      events(50)
        .map(({ value }) => value)
        .toSorted(),
    )
  })

  test('commits nothing before a file is complete (I1)', async () => {
    const from = await bed().create()
    await bed().write(from, [...events(20), { key: null, value: '{"amount": "not a number"}' }])
    const group = uniqueName('group')
    const stages = (types: object): Stage[] => [
      consume(from, { group_id: group }),
      { id: 'save', function: 'json.write', inputs: ['consume'], config: { path: 'whole.json' } },
      { id: 'check', function: 'validate.schema', inputs: ['consume'], config: { field_types: types } },
    ]
    await expect(run(await graph(stages({ amount: 'float' })))).rejects.toMatchObject({ code: 'STAGE_FAILED' })
    await expect(readFile(join(directory, 'whole.json'))).rejects.toThrow(/ENOENT/)
    expect(await run(await graph(stages({})))).toMatchObject({ read: { records: 21 } })
    expect(JSON.parse(await readFile(join(directory, 'whole.json'), 'utf8'))).toHaveLength(21)
  })

  test('continues after rows that fail and keeps them in the dead-letter queue, whether they were read or created', async () => {
    const [from, to] = [await bed().create(), await bed().create()]
    await bed().write(from, [{ value: '{"amount": 1}' }, { value: '{"amount": "x"}' }])
    const errors = { strategy: 'continue', dead_letter_queue: { enabled: true, path: 'dead.jsonl' } }
    await writeFile(join(directory, 'made.json'), '[{"amount": "y"}, {"amount": 2}]')
    const file = await graph(
      [
        consume(from),
        { id: 'load', function: 'json.read', config: { path: 'made.json' } },
        {
          id: 'check',
          function: 'validate.schema',
          inputs: ['consume', 'load'],
          config: { field_types: { amount: 'float' } },
        },
        produce(to, ['check']),
      ],
      { error_handling: errors },
    )
    expect(await run(file)).toMatchObject({ errors: { deadLettered: { STAGE_FAILED: 2 } } })
    expect((await values(to)).map((text) => JSON.parse(text) as unknown)).toEqual([{ amount: 1 }, { amount: 2 }])
    const letters = (await readFile(join(directory, 'dead.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { record: { amount: string } })
    expect(letters.toSorted((a, b) => (a.record.amount < b.record.amount ? -1 : 1))).toEqual(
      ['x', 'y'].map((amount) => ({
        record: { amount },
        error: expect.stringContaining('must have type float') as unknown,
        stage_id: 'check',
        timestamp: expect.any(String) as unknown,
      })),
    )
    expect(await run(file)).toMatchObject({ read: { records: 2 } }) // those of the file; the topic is committed
  })

  // The letter of a window was the row of numbers that had been made of it, and named the stage as its topic.
  test('a result of a window that fails leaves a letter for each record of the window', async () => {
    const [from, to] = [await bed().create(), await bed().create()]
    await bed().write(
      from,
      [1, 2, 3, 4].map((n) => ({ value: `{"n":${n}}` })),
    )
    const inputs = (id: string): { readonly inputs: readonly string[] } => ({ inputs: [id] })
    const stages = [
      consume(from),
      { id: 'pairs', function: 'window.apply', ...inputs('consume'), config: { size: 2 } },
      { id: 'sums', function: 'aggregate.stream', ...inputs('pairs'), config: { operation: 'sum', column: 'n' } },
      {
        id: 'small',
        function: '$match',
        ...inputs('sums'),
        config: { $expr: { $lt: [{ $divide: [1, { $subtract: ['$sum', 7] }] }, 9] } },
      },
      produce(to, ['small']),
    ]
    const error_handling = { strategy: 'continue', dead_letter_queue: { path: 'windows.jsonl' } }
    expect(await run(await graph(stages, { error_handling }))).toMatchObject({
      errors: { deadLettered: { STAGE_FAILED: 2 } },
    })
    expect((await values(to)).map((text) => JSON.parse(text) as unknown)).toEqual([{ sum: 3 }])
    const letters = (await readFile(join(directory, 'windows.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(letters.map((line) => (JSON.parse(line) as { record: unknown }).record)).toEqual([{ n: 3 }, { n: 4 }])
    expect(letters[0]).toContain(from)
  })

  test('ends when its time is up, and says so', async () => {
    const from = await bed().create()
    const file = await graph(
      [consume(from), { id: 'save', function: 'json.write', inputs: ['consume'], config: { path: 'never.json' } }],
      { global: { timeout_seconds: 1 } },
    )
    await expect(run(file, { untilEnd: false })).rejects.toMatchObject({
      code: 'PIPELINE_TIMED_OUT',
      message: expect.stringContaining('timed out after 1 seconds') as unknown,
    })
    // A consumer with less time than the run ends by itself.
    expect(
      await run(
        await graph([
          consume(from, { timeout_ms: 300 }),
          { id: 'show', function: 'json.write', inputs: ['consume'], config: { path: 'empty.json' } },
        ]),
        { untilEnd: false },
      ),
    ).toMatchObject({ ended: 'source', read: { records: 0 } })
    expect(await readFile(join(directory, 'empty.json'), 'utf8')).toBe('[]')
  })

  test('runs a pipeline inside a pipeline when the inputs of its stage have ended', async () => {
    const [from, to] = [await bed().create(), await bed().create()]
    await bed().write(from, events(5))
    await writeFile(
      join(directory, 'inner.toml'),
      `[[stages]]\nid = "load"\nfunction = "json.read"\nconfig = { path = "handed-over.json" }\n[[stages]]\nid = "out"\nfunction = "kafka"\ninputs = ["load"]\nconfig = { brokers = "${bootstrapServers()}", topic = "${to}" }\n`,
    )
    await writeFile(join(directory, 'handed-over.json'), '[{"n": 1}]')
    const file = await graph([
      consume(from),
      { id: 'inner', function: 'stage.pipeline', inputs: ['consume'], config: { file: 'inner.toml' } },
      { id: 'save', function: 'json.write', inputs: ['inner'], config: { path: 'passed.json' } },
    ])
    const plan = await readAnyPlan(file)
    if (!('nodes' in plan)) throw new Error('not a graph')
    const inner = plan.nodes[1]!.options['plan'] as object
    const nodes = plan.nodes.map((node) =>
      node.id === 'inner'
        ? { ...node, options: { ...node.options, plan: { ...inner, directory, folders: [directory] } } }
        : node,
    )
    const never = new AbortController().signal
    await runPlan(
      { ...plan, directory, folders: [directory], nodes },
      { components: catalog, signal: never, abort: never, untilEnd: true, warn: () => {} },
    )
    expect(await values(to)).toEqual(['{"n":1}'])
    expect(JSON.parse(await readFile(join(directory, 'passed.json'), 'utf8'))).toHaveLength(5)
  })

  test('loses nothing when it is killed in the middle (I1)', async () => {
    const [from, to] = [await bed().create({ partitions: 3 }), await bed().create({ partitions: 3 })]
    const total = 30_000
    await bed().write(from, events(total))
    const group_id = uniqueName('group')
    const settings = {
      group_id,
      'session.timeout.ms': 2000,
      'heartbeat.interval.ms': 500,
      'auto.commit.interval.ms': 50,
      'max.partition.fetch.bytes': 20_000,
    }
    const file = await graph([
      consume(from, settings),
      {
        id: 'map',
        function: 'map.apply',
        inputs: ['consume'],
        config: { expression: 'amount + 1', output_column: 'more' },
      },
      produce(to, ['map']),
    ])
    for (let kill = 0; kill < 2; kill++) {
      const { child, ended } = startCli(['run', file])
      await delay(700 + Math.random() * 500)
      child.kill('SIGKILL')
      await ended.catch(() => {})
    }
    // A killed member counts as one until its session is over, and would keep its share of the partitions.
    await expect.poll(async () => (await bed().groups.describeGroup(group_id)).state).toMatch(/^(Empty|Dead)$/)
    expect(await cli(['run', file, '--until-end'])).toMatchObject({ code: 0 })
    const ids = new Set(
      (await readTopic(bed().cluster, to)).records.map(
        ({ value }) => (JSON.parse(String(value)) as { user_id: number }).user_id,
      ),
    )
    expect(ids.size).toBe(total)
  })
})
