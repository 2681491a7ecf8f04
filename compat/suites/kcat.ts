/**
 * kcat, a command line of librdkafka, as Debian and Homebrew package it (Debian 12: kcat 1.7.1 with librdkafka 2.0.2, which asks
 * for old versions of everything).
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canRun, type CommandResult, mustRun } from '../command.ts'
import type { Suite } from '../suite.ts'
import { inTurn, type Test, type TestContext } from '../tests.ts'

const TIMEOUT_MS = 60_000

async function kcat(context: TestContext, args: readonly string[], stdin?: string): Promise<CommandResult> {
  return mustRun('kcat', ['-b', context.bootstrapServers, ...args], {
    timeoutMs: TIMEOUT_MS,
    signal: context.signal,
    log: join(context.scratch, 'kcat.log'),
    ...(stdin === undefined ? {} : { stdin }),
  })
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))

/** Reads a topic to its end, which `-e` asks for. */
async function readAll(context: TestContext, topic: string, args: readonly string[] = []): Promise<string[]> {
  return lines((await kcat(context, ['-C', '-q', '-e', '-o', 'beginning', '-t', topic, ...args])).stdout)
}

function writesAndReads(compression: string): Test {
  return async (context) => {
    const topic = context.unique(`kcat-${compression}`)
    const values = numbered(context.records(100_000))
    await kcat(context, ['-P', '-t', topic, '-z', compression], `${values.join('\n')}\n`)
    assert.deepEqual(await readAll(context, topic), values)
  }
}

const listsTopics: Test = async (context) => {
  const topic = context.unique('kcat-listed')
  await kcat(context, ['-P', '-t', topic], 'a\n')
  const { brokers, topics } = JSON.parse((await kcat(context, ['-L', '-J'])).stdout) as {
    brokers: { name: string }[]
    topics: { topic: string; partitions: object[] }[]
  }
  assert.ok(brokers.some(({ name }) => context.bootstrapServers.includes(name)))
  assert.ok(topics.find((each) => each.topic === topic)!.partitions.length > 0)
}

const keepsWholeRecords: Test = async (context) => {
  const topic = context.unique('kcat-whole')
  const header = ['-H', 'a=1', '-H', 'b=two']
  await kcat(context, ['-P', '-t', topic, '-K', ':', '-Z', ...header], 'one:1\n:\nthree:3\n')
  const records = await readAll(context, topic, ['-f', '%k|%S|%s|%h|%o\\n'])
  assert.deepEqual(records, ['one|1|1|a=1,b=two|0', '|-1||a=1,b=two|1', 'three|1|3|a=1,b=two|2'])
}

const findsOffsetsByTime: Test = async (context) => {
  const topic = context.unique('kcat-times')
  await kcat(context, ['-P', '-t', topic], 'a\nb\n')
  const { stdout } = await kcat(context, ['-Q', '-t', `${topic}:0:-1`, '-t', `${topic}:0:1`])
  assert.match(stdout, new RegExp(`${topic} \\[0\\] offset [02]`))
  const later = await readAll(context, topic, ['-o', `s@${Date.now() - 60_000}`, '-f', '%s\\n'])
  assert.deepEqual(later, ['a', 'b'])
}

const readsFromTheEnd: Test = async (context) => {
  const topic = context.unique('kcat-tail')
  await kcat(context, ['-P', '-t', topic], `${numbered(100).join('\n')}\n`)
  assert.deepEqual(await readAll(context, topic, ['-o', '-5']), ['95', '96', '97', '98', '99'])
  assert.deepEqual(await readAll(context, topic, ['-o', '42', '-c', '2']), ['42', '43'])
}

/** The group reads in two runs, and sees each record in one of them. */
function groups(assignor: string): Test {
  return async (context) => {
    const topic = context.unique('kcat-group')
    const settings = ['-X', 'auto.offset.reset=earliest', '-X', `partition.assignment.strategy=${assignor}`]
    const group = ['-q', '-G', context.unique('kcat'), ...settings]
    const values = numbered(context.records(2000))
    await kcat(context, ['-P', '-t', topic], `${values.join('\n')}\n`)
    const half = values.length / 2
    const first = await kcat(context, [...group, '-c', String(half), topic])
    const second = await kcat(context, [...group, '-c', String(half), topic])
    assert.deepEqual([...lines(first.stdout), ...lines(second.stdout)], values)
  }
}

const writesInTransactions: Test = async (context) => {
  const topic = context.unique('kcat-txn')
  await kcat(context, ['-P', '-t', topic, '-X', `transactional.id=${context.unique('kcat')}`], 'a\nb\nc\n')
  assert.deepEqual(await readAll(context, topic, ['-X', 'isolation.level=read_committed']), ['a', 'b', 'c'])
}

const writesIdempotently: Test = async (context) => {
  const topic = context.unique('kcat-idempotent')
  const values = numbered(context.records(20_000))
  await kcat(context, ['-P', '-t', topic, '-X', 'enable.idempotence=true'], `${values.join('\n')}\n`)
  assert.deepEqual(await readAll(context, topic), values)
}

const writesLargeRecords: Test = async (context) => {
  const topic = context.unique('kcat-large')
  const file = join(context.scratch, 'large')
  writeFileSync(file, 'x'.repeat(900_000))
  await kcat(context, ['-P', '-t', topic, file])
  assert.deepEqual(await readAll(context, topic, ['-f', '%S\\n']), ['900000'])
}

export const kcatSuite: Suite = {
  name: 'kcat',
  summary: 'kcat of librdkafka, where it is installed: produce, consume, groups, transactions',
  whyNot: async () =>
    (await canRun('kcat', ['-V'])) ? undefined : 'kcat is not installed (Debian: apt-get install kcat)',
  run: inTurn(
    {
      'list topics': listsTopics,
      'produce and consume': writesAndReads('none'),
      'produce and consume, gzip': writesAndReads('gzip'),
      'produce and consume, snappy': writesAndReads('snappy'),
      'produce and consume, lz4': writesAndReads('lz4'),
      'produce and consume, zstd': writesAndReads('zstd'),
      'keys, headers, tombstones': keepsWholeRecords,
      'large values': writesLargeRecords,
      'offsets by time': findsOffsetsByTime,
      'from the end, and from an offset': readsFromTheEnd,
      'a group, range': groups('range'),
      'a group, cooperative-sticky': groups('cooperative-sticky'),
      'a transaction': writesInTransactions,
      'an idempotent producer': writesIdempotently,
    },
    { atATime: 3 },
  ),
}
