/**
 * Commands that look at a graph of stages, on a real broker: none of them may commit, join a group or write.
 */
import { access, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { cli } from '../support/cli.ts'
import { consume, graphFile, produce } from '../support/graphs.ts'
import { topicBed } from '../support/topics.ts'

interface Envelope {
  readonly ok: boolean
  readonly result: {
    readonly records: readonly { readonly stage?: string; readonly key: string; readonly value: unknown }[]
    readonly streams: readonly { readonly name: string; readonly records: number; readonly schema: object }[]
    readonly pipelines: readonly unknown[]
  }
}

describe.skipIf(!brokerAvailable)('looking at a graph', () => {
  const bed = topicBed()
  const group = uniqueName('group')
  let input: string
  let high: string
  let file: string
  beforeAll(async () => {
    ;[input, high] = await Promise.all([bed().create({ partitions: 2 }), bed().create()])
    await bed().write(
      input,
      Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, value: `{"id":${i},"amount":${i * 10}}` })),
    )
    const check = { field_types: { id: 'integer' } }
    const filter = { column: 'amount', operator: '>=', value: 150 }
    file = await graphFile(
      [
        consume(input, { group_id: group, max_messages: 5 }),
        { id: 'load', function: 'json.read', config: { path: 'rows.json' } },
        { id: 'check', function: 'validate.schema', inputs: ['consume', 'load'], config: check },
        { id: 'filter', function: 'filter.apply', inputs: ['check'], config: filter },
        produce(high, ['filter'], { key_field: 'id' }, 'high'),
        { id: 'save', function: 'json.write', inputs: ['check'], config: { path: 'out.json' } },
      ],
      { error_handling: { strategy: 'continue', dead_letter_queue: { path: 'dead.jsonl' } } },
    )
    await writeFile(join(dirname(file), 'rows.json'), '[{"id": 100, "amount": 1000}, {"id": "x", "amount": 0}]')
  })
  const call = async (...args: string[]): Promise<{ code: number; stderr: string; envelope: Envelope }> => {
    const { code, stdout, stderr } = await cli([...args, '--json'], { directory: dirname(file) })
    return { code, stderr, envelope: JSON.parse(stdout) as Envelope }
  }

  test('read prints the records of its consumer as they are, whatever bounds a run', async () => {
    const { envelope } = await call('read', file)
    expect(envelope.result.records).toHaveLength(20)
    expect(envelope.result.records.find(({ key }) => key === 'k3')).toMatchObject({ value: { id: 3, amount: 30 } })
    expect((await call('read', file, '--max', '2')).envelope.result.records).toHaveLength(2)
  })

  test('read --stage prints those of another source', async () => {
    const { envelope } = await call('read', file, '--stage', 'load')
    expect(envelope.result.records.map(({ value }) => value)).toEqual([
      { id: 100, amount: 1000 },
      { id: 'x', amount: 0 },
    ])
  })

  test('discover lists the topics that its consumer could read, and their shape', async () => {
    const { envelope } = await call('discover', file, '--topic', input)
    expect(envelope.result.streams).toMatchObject([
      { name: input, partitions: 2, records: 20, schema: { properties: { id: { type: 'integer' } } } },
    ])
    expect((await call('discover', file, '--stage', 'load')).envelope.result.streams).toMatchObject([
      { name: 'rows.json', schema: { properties: { amount: { type: 'integer' } } } },
    ])
  })

  test('dry-run shows what each sink would be given, and writes and commits nothing', async () => {
    const { code, stderr, envelope } = await call('dry-run', file)
    expect([code, envelope.ok]).toEqual([0, true])
    const of = (stage: string): unknown[] => envelope.result.records.filter((record) => record.stage === stage)
    expect(of('high')).toContainEqual(expect.objectContaining({ key: '100', value: { id: 100, amount: 1000 } }))
    expect(of('save')).toContainEqual(expect.objectContaining({ value: { id: 100, amount: 1000 } }))
    expect(of('save')).toHaveLength(6) // max_messages of the consumer, and one row of the file
    expect(stderr).toContain('a row would become a dead letter: STAGE_FAILED')
    expect((await bed().values(high)).flat()).toEqual([])
    for (const name of ['out.json', 'dead.jsonl']) await expect(access(join(dirname(file), name))).rejects.toThrow()
    expect(await bed().groups.committedOffsets(group)).toEqual([])
  })

  test.each([
    { args: ['read', '--stage', 'consum'], text: 'There is no source "consum": did you mean' },
    { args: ['read', '--pipeline', 'x'], text: 'the file is a stage graph' },
    { args: ['discover', '--stage', 'filter'], text: 'There is no source "filter": there are consume, load' },
  ])('$args is refused', async ({ args: [verb, ...more], text }) => {
    const { code, stdout } = await cli([verb!, file, ...more, '--json'])
    expect(code).toBe(2)
    expect((JSON.parse(stdout) as { error: { message: string } }).error.message).toContain(text)
  })

  test('read and discover look at one of several pipelines', async () => {
    const several = join(dirname(file), 'several.yaml')
    const connect = `brokers: "${bootstrapServers()}"`
    const bridge = (topic: string): string =>
      `{source: {connector: kafka-source, config: {${connect}, topic: ${topic}}}, sink: {connector: kafka-sink, config: {${connect}, topic: ${topic}-copy}}}`
    await writeFile(several, `bridges: {one: ${bridge(high)}, two: ${bridge(input)}}`)
    expect((await call('read', several)).envelope.result.records).toHaveLength(0)
    expect((await call('read', several, '--pipeline', 'two')).envelope.result.records).toHaveLength(20)
    expect(
      (await call('discover', several, '--pipeline', 'two', '--topic', input)).envelope.result.streams,
    ).toHaveLength(1)
    const { code, stdout } = await cli(['read', several, '--pipeline', 'three', '--json'])
    expect(code).toBe(2)
    expect(stdout).toContain('there are several-bridge-one, several-bridge-two')
  })
})
