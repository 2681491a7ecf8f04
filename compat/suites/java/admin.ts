/** TopicCommand, ConfigCommand, and the tools that describe a cluster. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../conditions.ts'
import type { Test, TestContext } from '../../tests.ts'
import { createTopic, linesOf, numbered, read, run, write } from './tools.ts'

const managesTopics: Test = async (context) => {
  const topic = context.unique('managed')
  const command = async (...args: string[]) => run(context, 'topics', args)
  const config = ['--config', 'retention.ms=3600000', '--config', 'cleanup.policy=compact']
  await command('--create', '--topic', topic, '--partitions', '3', ...config)
  await assert.rejects(command('--create', '--topic', topic), /already exists/)
  await command('--create', '--topic', topic, '--if-not-exists')
  const described = await command('--describe', '--topic', topic)
  assert.match(described, /PartitionCount: 3\tReplicationFactor: 1\tConfigs: .*cleanup\.policy=compact/)
  assert.match(described, /retention\.ms=3600000/)
  assert.equal(described.match(/\tLeader: \d/g)?.length, 3)
  await command('--alter', '--topic', topic, '--partitions', '5')
  assert.match(await command('--describe', '--topic', topic), /PartitionCount: 5/)
  await assert.rejects(command('--alter', '--topic', topic, '--partitions', '2'))
  assert.ok(linesOf(await command('--list')).includes(topic))
  await command('--delete', '--topic', topic)
  await until(async () => !linesOf(await command('--list')).includes(topic), context.signal)
}

/** A resource as `--describe` shows it. */
async function describeConfigs(context: TestContext, type: string, name: string, all = false): Promise<string> {
  const resource = ['--describe', '--entity-type', type, '--entity-name', name]
  return run(context, 'configs', [...resource, ...(all ? ['--all'] : [])])
}

async function alterConfigs(context: TestContext, type: string, name: string, ...args: string[]): Promise<void> {
  await run(context, 'configs', ['--alter', '--entity-type', type, '--entity-name', name, ...args])
}

const configuresTopics: Test = async (context) => {
  const topic = await createTopic(context, 'configured')
  const set = 'max.message.bytes=2000000,cleanup.policy=[compact,delete]'
  await alterConfigs(context, 'topics', topic, '--add-config', set)
  const described = await describeConfigs(context, 'topics', topic)
  const synonyms =
    /synonyms=\{DYNAMIC_TOPIC_CONFIG:max\.message\.bytes=2000000, .*DEFAULT_CONFIG:message\.max\.bytes=1048588\}/
  assert.match(described, /max\.message\.bytes=2000000/)
  assert.match(described, synonyms)
  assert.match(described, /cleanup\.policy=compact,delete/)
  await alterConfigs(context, 'topics', topic, '--delete-config', 'max.message.bytes')
  assert.doesNotMatch(await describeConfigs(context, 'topics', topic), /max\.message\.bytes/)
  const all = await describeConfigs(context, 'topics', topic, true)
  assert.match(all, /max\.message\.bytes=\d+ .*DEFAULT_CONFIG:message\.max\.bytes=1048588/)
  await assert.rejects(alterConfigs(context, 'topics', topic, '--add-config', 'retention.ms=soon'))
}

const configuresGroups: Test = async (context) => {
  const group = context.unique('configured')
  await alterConfigs(context, 'groups', group, '--add-config', 'consumer.session.timeout.ms=50000')
  assert.match(await describeConfigs(context, 'groups', group), /consumer\.session\.timeout\.ms=50000/)
  assert.match(await describeConfigs(context, 'groups', group, true), /consumer\.heartbeat\.interval\.ms=/)
  await alterConfigs(context, 'groups', group, '--delete-config', 'consumer.session.timeout.ms')
  assert.doesNotMatch(await describeConfigs(context, 'groups', group), /consumer\.session\.timeout\.ms/)
}

/** A setting that can be changed while a broker runs, to what it is. */
const configuresBrokers: Test = async (context) => {
  const versions = await run(context, 'broker-api-versions', [])
  const id = /\(id: (\d+) /.exec(versions)![1]!
  assert.match(
    await describeConfigs(context, 'brokers', id, true),
    /message\.max\.bytes=\d+ sensitive=false synonyms=\{/,
  )
  await alterConfigs(context, 'brokers', id, '--add-config', 'log.cleaner.threads=2')
  assert.match(await describeConfigs(context, 'brokers', id), /log\.cleaner\.threads=2/)
  await alterConfigs(context, 'brokers', id, '--delete-config', 'log.cleaner.threads')
  assert.doesNotMatch(await describeConfigs(context, 'brokers', id), /log\.cleaner\.threads/)
}

const deletesRecords: Test = async (context) => {
  const topic = await createTopic(context, 'shortened')
  await write(context, topic, numbered(10))
  const file = join(context.scratch, `${topic}.json`)
  writeFileSync(file, JSON.stringify({ partitions: [{ topic, partition: 0, offset: 4 }], version: 1 }))
  assert.match(await run(context, 'delete-records', ['--offset-json-file', file]), /low_watermark: 4/)
  assert.deepEqual(await read(context, topic, 6), numbered(10).slice(4))
}

const describesTheCluster: Test = async (context) => {
  assert.match(await run(context, 'cluster', ['cluster-id']), /Cluster ID: \S{22}/)
  assert.match(await run(context, 'cluster', ['list-endpoints']), /unfenced/)
  const features = await run(context, 'features', ['describe'])
  assert.match(features, /transaction\.version.*FinalizedVersionLevel: 2/)
  const topic = await createTopic(context, 'sized')
  await write(context, topic, numbered(10))
  const dirs = linesOf(await run(context, 'log-dirs', ['--describe', '--topic-list', topic]))
  const { brokers } = JSON.parse(dirs.find((line) => line.startsWith('{'))!) as {
    brokers: { logDirs: { partitions: { partition: string; size: number }[] }[] }[]
  }
  const [partition] = brokers.flatMap(({ logDirs }) => logDirs.flatMap(({ partitions }) => partitions))
  assert.equal(partition!.partition, `${topic}-0`)
  assert.ok(partition!.size > 0)
}

export const ADMIN_TESTS: { readonly [name: string]: Test } = {
  TopicCommand: managesTopics,
  'ConfigCommand, topics': configuresTopics,
  'ConfigCommand, groups': configuresGroups,
  'ConfigCommand, brokers': configuresBrokers,
  DeleteRecordsCommand: deletesRecords,
  'ClusterTool, FeatureCommand, LogDirsCommand': describesTheCluster,
}
