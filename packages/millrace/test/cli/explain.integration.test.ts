import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cli } from '../support/cli.ts'

const EXAMPLES = join(import.meta.dirname, '../../../../examples')

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-explain-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function write(name: string, text: string): Promise<string> {
  const file = join(directory, name)
  await writeFile(file, text)
  return file
}

describe('shows the lane', () => {
  test.each([
    ['copy-topic.toml', 'verbatim'],
    ['generate-orders.yaml', 'bytes'],
    ['orders-etl.yaml', 'documents'],
  ])('of %s: %s', async (name, lane) => {
    const { code, stdout } = await cli(['explain', join(EXAMPLES, name)])
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`^lane +${lane}: \\S`, 'm'))
    for (const label of ['pipeline', 'source', 'sink', 'guarantee', 'commits', 'partitions', 'memory', 'errors'])
      expect(stdout).toMatch(new RegExp(`^${label} +\\S`, 'm'))
  })
})

// It said that records keep their partition, which another key changes, and nothing of rates or security.
test('of connectors shows where another key puts records, rate limits, and how connections are secured', async () => {
  const sink = (config: string, more = ''): string =>
    `broker: {bootstrap_servers: "hub:9092", security: {protocol: SASL_SSL, username: u, password: p}}\nsinks:\n  a: {connector: kafka-sink, topics: [t], consumer_group: g, ${more}config: {brokers: k, topic: x${config}}}`
  const keyed = await cli([
    'explain',
    await write('keyed.yaml', sink(', key_field: id', 'rate_limit: {events_per_second: 100}, ')),
  ])
  expect(keyed.stdout).toMatch(/^partitions +murmur2 over the key of the record$/m)
  expect(keyed.stdout).toMatch(/^rate limit +at most 100 records\/s, and up to 110 at once after a pause$/m)
  expect(keyed.stdout).toMatch(/^source +kafka t at hub:9092 \(SASL_SSL, PLAIN\), group g$/m)
  const plain = await cli(['explain', await write('plain.yaml', sink(''))])
  expect(plain.stdout).toMatch(/^partitions +records from a topic with the same number of partitions keep/m)
  expect(plain.stdout).not.toMatch(/^rate limit/m)
})

test('speaks of groups and topics only where there are some', async () => {
  const generated = await cli(['explain', join(EXAMPLES, 'generate-orders.yaml')])
  expect(generated.stdout).not.toMatch(/^starts/m)
  expect(generated.stdout).toMatch(/^memory +.*; beyond that the source waits$/m)
  const consumed = await cli(['explain', join(EXAMPLES, 'orders-etl.yaml')])
  expect(consumed.stdout).toMatch(/^memory +.*; beyond that the source waits and stays a member of its group$/m)
  // A first run with the default, latest, read nothing, and nothing had said so.
  expect(consumed.stdout).toMatch(
    /^starts +at the committed offsets of group ".+"; without any, at the first record \(auto\.offset\.reset\)$/m,
  )
})

// It said "nothing is lost, whatever fails" for whatever was acknowledged by one broker or none.
describe('says what the guarantee means with the acknowledgements that were chosen', () => {
  test.each([
    { sink: '', means: /nothing is lost, whatever fails; after a crash/, not: /acks/ },
    {
      sink: ', acks: 1',
      means:
        /lost if the leader fails before its followers have them \(acks 1\); .* written twice, the second time behind/,
      not: /nothing is lost/,
    },
    { sink: ', acks: 0', means: /can be lost without any error.*\(acks 0\)/, not: /nothing is lost/ },
    { sink: ', enable.idempotence: false', means: /nothing is lost.*written twice/, not: /acks/ },
  ])('sink {$sink}', async ({ sink, means, not }) => {
    const ends = (keys: string): string =>
      `source: {type: kafka, topic: a, bootstrapServers: k}\n${keys}: {type: kafka, topic: b, bootstrapServers: k${sink}}\n`
    const { stdout } = await cli(['explain', await write('acks.yaml', ends('sink'))])
    const [guarantee] = /^guarantee .*$/m.exec(stdout)!
    expect(guarantee).toMatch(means)
    expect(guarantee).not.toMatch(not)
  })

  // What may have been written is not written again then.
  test('at most once', async () => {
    const ends = `source: {type: kafka, topic: a, bootstrapServers: k}\nsink: {type: kafka, topic: b, bootstrapServers: k, acks: 1}\n`
    const { stdout } = await cli(['explain', await write('once.yaml', `delivery: at_most_once\n${ends}`)])
    const [guarantee] = /^guarantee .*$/m.exec(stdout)!
    expect(guarantee).toMatch(/no record is written by two runs; .*a request whose response is lost is not sent again/)
    expect(guarantee).not.toMatch(/twice/)
  })

  test('in a stage graph', async () => {
    const file = await write(
      'graph.toml',
      `[[stages]]\nid = "in"\nfunction = "kafka"\n[stages.config]\nbrokers = "k"\ntopic = "a"\ngroup_id = "g"\n
[[stages]]\nid = "out"\nfunction = "kafka"\ninputs = ["in"]\n[stages.config]\nbrokers = "k"\ntopic = "b"\nacks = 0\n`,
    )
    const { stdout, stderr } = await cli(['explain', file])
    expect(stdout).toMatch(/^guarantee +at_least_once: .*can be lost without any error/m)
    expect(stderr).toContain('can be lost without any error')
  })
})

test('says which batches compression.type does not apply to', async () => {
  const file = await write(
    'zstd.yaml',
    'source: {type: kafka, topic: a, bootstrapServers: k}\nsink: {type: kafka, topic: b, bootstrapServers: k, compression.type: zstd}\n',
  )
  const { stdout, stderr } = await cli(['explain', file])
  expect(stdout).toMatch(/^lane +verbatim: .*; compression\.type \(zstd\) applies to batches that are made here only/m)
  expect(stderr).toMatch(
    /2:\d+ sink\.compression\.type: warning: compression\.type \(zstd\) has no effect on record batches/,
  )
})

// I8
test('gives everything as JSON, without secrets', async () => {
  const file = await write(
    'secret.yaml',
    'source: {type: kafka, topic: a, bootstrapServers: k, securityProtocol: SASL_SSL, saslMechanism: PLAIN, saslUsername: me, saslPassword: hush}\nstages: [{$match: {a: 1}}]\nsink: {type: file, path: x}\n',
  )
  const { code, stdout, stderr } = await cli(['explain', '--json', file])
  expect(code).toBe(0)
  expect(stdout + stderr).not.toContain('hush')
  expect(JSON.parse(stdout)).toMatchObject({
    command: 'explain',
    ok: true,
    error: null,
    result: {
      name: 'secret',
      lane: 'fields',
      source: { component: 'kafka', options: { topic: ['a'], saslUsername: 'me', saslPassword: '***' } },
      stages: [{ name: '$match', needs: 'fields' }],
      guarantee: { name: 'at_least_once' },
    },
  })
})

test('lists all sinks of a fanout, and hides the secrets of each', async () => {
  const to = (topic: string): string =>
    `{type: kafka, topic: ${topic}, bootstrapServers: k, securityProtocol: SASL_SSL, saslMechanism: PLAIN, saslUsername: me, saslPassword: hush}`
  const file = await write(
    'fan.yaml',
    `source: {type: kafka, topic: a, bootstrapServers: k}\nsink: {fanout: [${to('b')}, ${to('c')}]}\n`,
  )
  const text = await cli(['explain', file])
  expect(text.stdout).toMatch(
    /^sinks +kafka b at k \(SASL_SSL, PLAIN\)\n +kafka c at k \(SASL_SSL, PLAIN\)\nlane +verbatim:/m,
  )
  expect(text.stdout).toContain(
    'each of the 2 sinks gets a record once the sink before it has acknowledged it; a record that one refuses does not go to the next',
  )
  const { stdout } = await cli(['explain', '--json', file])
  expect(stdout).not.toContain('hush')
  expect(JSON.parse(stdout)).toMatchObject({
    result: { sink: { options: { topic: 'b' } }, fanout: [{ options: { topic: 'c', saslPassword: '***' } }] },
  })
})

test('finds what lint cannot: operators that do not exist', async () => {
  const file = await write(
    'operator.yaml',
    'source: {type: generate}\nstages: [{$set: {a: {$plus: [1, 2]}}}]\nsink: {type: file, path: x}\n',
  )
  const { code, stdout, stderr } = await cli(['explain', file])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain('$plus')
  expect(stderr).not.toMatch(/\n +at /)
})

test('says all problems of the file with their places', async () => {
  const file = await write('bad.yaml', 'source: {type: generate, seed: x}\nsink: {type: fil}\n')
  const { code, stderr } = await cli(['explain', file])
  expect(code).toBe(2)
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringContaining(`${file}:1:26 source.seed: `),
    expect.stringContaining(`${file}:2:8 sink.type: `),
  ])
})

test('names the group, also where the file does not', async () => {
  const text = (group: string): string =>
    `source: {type: kafka, topic: a, bootstrapServers: "k:1"${group}}\nsink: {type: stdout}\n`
  expect((await cli(['explain', await write('group.yaml', text(''))])).stdout).toMatch(
    /^source +kafka a at k:1, group fluxion-a$/m,
  )
  expect((await cli(['explain', await write('group.yaml', text(', groupId: mine'))])).stdout).toMatch(
    /^source +kafka a at k:1, group mine$/m,
  )
})

test('counts one record as one', async () => {
  const file = await write(
    'one.yaml',
    `source: {type: generate, records: 1}\nsink: {type: file, path: ${join(directory, 'one.jsonl')}}\n`,
  )
  expect((await cli(['explain', file])).stdout).toMatch(/^source +generate orders, 1 record$/m)
  expect((await cli(['run', file])).stdout).toMatch(/^one: read 1 record, wrote 1 in /)
})
