/** TransactionalMessageCopier, which copies exactly once, and TransactionsCommand, which looks at open transactions and ends them. */
import assert from 'node:assert/strict'
import { until } from '../../conditions.ts'
import type { Test, TestContext } from '../../tests.ts'
import { createTopic, linesOf, numbered, read, run, start, tableOf, write } from './tools.ts'

function copies(...mode: string[]): Test {
  return async (context) => {
    const input = await createTopic(context, 'copied')
    const output = await createTopic(context, 'copies')
    const values = numbered(context.records(10_000))
    await write(context, input, values)
    const topics = ['--input-topic', input, '--input-partition', '0', '--output-topic', output]
    const names = ['--transactional-id', context.unique('copier'), '--consumer-group', context.unique('copier')]
    const random = ['--transaction-size', '50', '--enable-random-aborts']
    const printed = await run(context, 'transactional-message-copier', [...topics, ...names, ...random, ...mode])
    const last = JSON.parse(linesOf(printed).at(-1)!) as { stage: string; remaining: number }
    assert.deepEqual([last.stage, last.remaining], ['ShutdownComplete', 0])
    // In order: aborted records are left out, and none comes twice.
    assert.deepEqual(await read(context, output, values.length, ['--isolation-level', 'read_committed']), values)
  }
}

/** Keeps a transaction open while `work` looks at it. */
async function withOpenTransaction(
  context: TestContext,
  work: (transactionalId: string, topic: string) => Promise<void>,
): Promise<void> {
  const topic = await createTopic(context, 'open')
  const transactionalId = context.unique('open')
  const load = ['--num-records', '100000', '--throughput', '20', '--record-size', '10']
  const transaction = ['--transactional-id', transactionalId, '--transaction-duration-ms', '59000']
  const writer = await start(context, 'producer-perf-test', ['--topic', topic, ...load, ...transaction])
  try {
    await until(
      async () =>
        (await stateOf(context, transactionalId)) === 'Ongoing' && (await openOffset(context, topic)) !== 'None',
      context.signal,
    )
    await work(transactionalId, topic)
  } finally {
    writer.kill('SIGKILL')
  }
}

async function transactions(context: TestContext, ...args: string[]): Promise<string> {
  return run(context, 'transactions', args)
}

async function stateOf(context: TestContext, transactionalId: string): Promise<string | undefined> {
  const rows = tableOf(await transactions(context, 'list'), 'TransactionalId')
  return rows.find((row) => row['TransactionalId'] === transactionalId)?.['TransactionState']
}

async function producersOf(context: TestContext, topic: string) {
  return tableOf(await transactions(context, 'describe-producers', '--topic', topic, '--partition', '0'), 'ProducerId')
}

async function openOffset(context: TestContext, topic: string): Promise<string> {
  return (await producersOf(context, topic))[0]?.['CurrentTransactionStartOffset'] ?? 'None'
}

const describes: Test = async (context) =>
  withOpenTransaction(context, async (transactionalId, topic) => {
    const described = await transactions(context, 'describe', '--transactional-id', transactionalId)
    const [row] = tableOf(described, 'CoordinatorId')
    assert.equal(row!['TransactionState'], 'Ongoing')
    assert.equal(row!['TopicPartitions'], `${topic}-0`)
    const [producer] = await producersOf(context, topic)
    assert.equal(producer!['ProducerId'], row!['ProducerId'])
    // No transaction hangs: the coordinator knows this one.
    const hanging = await transactions(context, 'find-hanging', '--topic', topic, '--max-transaction-timeout', '0')
    assert.ok(!hanging.includes(topic), hanging)
  })

const aborts: Test = async (context) =>
  withOpenTransaction(context, async (_, topic) => {
    const start = await openOffset(context, topic)
    const place = ['--topic', topic, '--partition', '0', '--start-offset', start]
    await transactions(context, 'abort', ...place)
    assert.notEqual(await openOffset(context, topic), start)
  })

const terminates: Test = async (context) =>
  withOpenTransaction(context, async (transactionalId) => {
    await transactions(context, 'forceTerminateTransaction', '--transactionalId', transactionalId)
    // The tool asks for a new epoch, which aborts what is open.
    await until(async () => (await stateOf(context, transactionalId)) !== 'Ongoing', context.signal)
  })

export const TRANSACTION_TESTS: { readonly [name: string]: Test } = {
  TransactionalMessageCopier: copies(),
  'TransactionalMessageCopier, group metadata': copies('--group-mode', '--use-group-metadata'),
  'TransactionsCommand, describe': describes,
  'TransactionsCommand, abort': aborts,
  'TransactionsCommand, forceTerminateTransaction': terminates,
}
