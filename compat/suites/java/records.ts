/** Tools that write and read records. */
import assert from 'node:assert/strict'
import type { Test, TestContext } from '../../tests.ts'
import { byNumber, createTopic, linesOf, numbered, read, run, tableOf, write } from './tools.ts'

function consoles(compression: string, consumer: readonly string[]): Test {
  return async (context) => {
    const topic = await createTopic(context, 'console', 2)
    const values = numbered(context.records(50_000))
    const options = ['--topic', topic, '--compression-codec', compression]
    await run(context, 'console-producer', options, `${values.join('\n')}\n`)
    assert.deepEqual((await read(context, topic, values.length, consumer)).toSorted(byNumber), values)
  }
}

const keepsWholeRecords: Test = async (context) => {
  const topic = context.unique('whole')
  const reader = ['parse.key=true', 'parse.headers=true', 'null.marker=NULL']
  const input = ['a:1,b:two\tone\t1', 'NULL\tNULL\tx', 'NULL\tthree\tNULL']
  const properties = reader.flatMap((property) => ['--reader-property', property])
  await run(context, 'console-producer', ['--topic', topic, ...properties], `${input.join('\n')}\n`)
  const shown = ['key', 'headers', 'offset'].flatMap((part) => ['--formatter-property', `print.${part}=true`])
  assert.deepEqual(await read(context, topic, 3, shown), [
    'Offset:0\ta:1,b:two\tone\t1',
    'Offset:1\tNO_HEADERS\tnull\tx',
    'Offset:2\tNO_HEADERS\tthree\tnull',
  ])
}

const measures: Test = async (context) => {
  const topic = await createTopic(context, 'measured', 3)
  const count = context.records(1_000_000)
  const size = ['--topic', topic, '--num-records', String(count)]
  const written = await run(context, 'producer-perf-test', [...size, '--throughput', '-1', '--record-size', '100'])
  assert.match(written, new RegExp(`^${count} records sent`, 'm'))
  const found = tableOf((await run(context, 'consumer-perf-test', size)).replaceAll(', ', '\t'), 'start.time')
  assert.ok(Number(found[0]!['data.consumed.in.nMsg']) >= count)
}

const measuresTransactions: Test = async (context) => {
  const topic = await createTopic(context, 'measured-txn', 2)
  const count = context.records(40_000)
  const load = ['--num-records', String(count), '--throughput', String(count / 4), '--record-size', '100']
  const transactions = ['--transactional-id', context.unique('perf'), '--transaction-duration-ms', '200']
  await run(context, 'producer-perf-test', ['--topic', topic, ...load, ...transactions])
  const committed = await read(context, topic, count, ['--isolation-level', 'read_committed'])
  assert.equal(committed.length, count)
}

const measuresLatency: Test = async (context) => {
  const topic = await createTopic(context, 'latency')
  const count = ['--num-records', String(context.records(5000))]
  const output = await run(context, 'e2e-latency', [
    '--topic',
    topic,
    ...count,
    '--producer-acks',
    'all',
    '--record-size',
    '100',
  ])
  assert.match(output, /Avg latency: [\d.]+ ms/)
}

interface VerifiableEvent {
  name: string
  value?: string
  acked?: number
  count?: number
  success?: boolean
}

const eventsOf = (output: string): VerifiableEvent[] =>
  linesOf(output).map((line) => JSON.parse(line) as VerifiableEvent)

function verifies(protocol: 'classic' | 'consumer'): Test {
  return async (context) => {
    const topic = await createTopic(context, 'verified', 3)
    const count = context.records(20_000)
    const size = ['--topic', topic, '--max-messages', String(count)]
    const sent = eventsOf(await run(context, 'verifiable-producer', [...size, '--acks', '-1']))
    assert.equal(sent.find(({ name }) => name === 'tool_data')!.acked, count)
    const group = ['--group-id', context.unique('verified'), '--group-protocol', protocol]
    const events = eventsOf(await run(context, 'verifiable-consumer', [...size, ...group]))
    const consumed = events.filter(({ name }) => name === 'records_consumed')
    assert.ok(consumed.reduce((sum, event) => sum + event.count!, 0) >= count)
    const commits = events.filter(({ name }) => name === 'offsets_committed')
    assert.ok(commits.length > 0 && commits.every(({ success }) => success === true))
  }
}

/** The tool gives itself 10 s from writing to reading, which a busy machine may need for starting a client. */
const TOO_SLOW = /Timed out after 10000 ms/
const TRIES = 3

/** What the broker announces decides what the test must find; everything else has to work. */
const isCompatible: Test = async (context) => {
  const announced = await run(context, 'broker-api-versions', [])
  const nodes = announced.match(/^\S+:\d+ \(id: /gm)!.length
  const expectations = {
    'offsets-for-times-supported': true,
    'cluster-id-supported': true,
    // Before KIP-74, that is.
    'expect-record-too-large-exception': false,
    'num-cluster-nodes': nodes,
    'create-topics-supported': true,
    'describe-acls-supported': isAnnounced(announced, 'DescribeAcls'),
    'describe-configs-supported': true,
    'idempotent-producer-supported': true,
  }
  const options = Object.entries(expectations).flatMap(([name, value]) => [`--${name}`, String(value)])
  for (let attempt = 1; ; attempt++) {
    // It creates this topic, and fails when it is there.
    await run(context, 'topics', ['--delete', '--topic', 'newtopic', '--if-exists'])
    const topic = ['--topic', context.unique('compatible')]
    try {
      assert.match(await run(context, 'client-compatibility-test', [...topic, ...options]), /SUCCESS/)
      return
    } catch (error) {
      if (attempt === TRIES || !TOO_SLOW.test((error as Error).message)) throw error
    }
  }
}

const isAnnounced = (versions: string, api: string): boolean =>
  !new RegExp(`${api}\\(\\d+\\): UNSUPPORTED`).test(versions)

/** What clients of Kafka 4.3 need at least. */
const NEEDED = [
  'Produce Fetch ListOffsets Metadata OffsetCommit OffsetFetch FindCoordinator JoinGroup Heartbeat LeaveGroup SyncGroup',
  'DescribeGroups ListGroups ApiVersions CreateTopics DeleteTopics DeleteRecords InitProducerId OffsetForLeaderEpoch',
  'AddPartitionsToTxn AddOffsetsToTxn EndTxn TxnOffsetCommit DescribeConfigs AlterConfigs DescribeLogDirs CreatePartitions',
  'DeleteGroups IncrementalAlterConfigs OffsetDelete DescribeCluster DescribeProducers DescribeTransactions',
  'ListTransactions ConsumerGroupHeartbeat ConsumerGroupDescribe ListConfigResources DescribeTopicPartitions',
].flatMap((line) => line.split(' '))

const announcesVersions: Test = async (context) => {
  const announced = await run(context, 'broker-api-versions', [])
  for (const api of NEEDED) assert.match(announced, new RegExp(`\\t${api}\\(\\d+\\): \\d+.* \\[usable: \\d+\\]`))
}

async function offsetsOf(context: TestContext, topic: string, time: string): Promise<string[]> {
  return linesOf(await run(context, 'get-offsets', ['--topic', topic, '--time', time]))
}

const findsOffsets: Test = async (context) => {
  const topic = await createTopic(context, 'offsets')
  await write(context, topic, numbered(10))
  assert.deepEqual(await offsetsOf(context, topic, 'latest'), [`${topic}:0:10`])
  assert.deepEqual(await offsetsOf(context, topic, 'earliest'), [`${topic}:0:0`])
  assert.match((await offsetsOf(context, topic, 'max-timestamp'))[0]!, new RegExp(`${topic}:0:\\d`))
}

export const RECORD_TESTS: { readonly [name: string]: Test } = {
  'console producer and consumer, zstd': consoles('zstd', []),
  'console producer and consumer, gzip, consumer protocol': consoles('gzip', [
    '--command-property',
    'group.protocol=consumer',
  ]),
  'console producer and consumer, headers and null': keepsWholeRecords,
  'ProducerPerformance and ConsumerPerformance': measures,
  'ProducerPerformance with transactions': measuresTransactions,
  EndToEndLatency: measuresLatency,
  'VerifiableProducer and VerifiableConsumer': verifies('classic'),
  'VerifiableProducer and VerifiableConsumer, consumer protocol': verifies('consumer'),
  ClientCompatibilityTest: isCompatible,
  BrokerApiVersionsCommand: announcesVersions,
  GetOffsetShell: findsOffsets,
}
