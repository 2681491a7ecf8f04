/** What survives a restart of a broker with a `directory`. */
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../../src/index.ts'
import { createPartitionsApi } from '../../../src/protocol/messages/create-partitions.ts'
import { describeConfigsApi } from '../../../src/protocol/messages/describe-configs.ts'
import { deleteTopicsApi } from '../../../src/protocol/messages/delete-topics.ts'
import { endTxnApi } from '../../../src/protocol/messages/end-txn.ts'
import { incrementalAlterConfigsApi } from '../../../src/protocol/messages/incremental-alter-configs.ts'
import { initProducerIdApi } from '../../../src/protocol/messages/init-producer-id.ts'
import { offsetCommitApi } from '../../../src/protocol/messages/offset-commit.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { txnOffsetCommitApi } from '../../../src/protocol/messages/txn-offset-commit.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-broker-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Runs a broker on the folder, with one connection to it. */
async function withBroker<T>(
  work: (broker: EmbeddedBroker, client: RawClient) => Promise<T>,
  options: Parameters<typeof startBroker>[0] = {},
): Promise<T> {
  await using broker = await startBroker({ directory, ...options })
  using client = await RawClient.connect(broker.bootstrapServers)
  return await work(broker, client)
}

async function write(client: RawClient, topic: string, ...values: string[]): Promise<void> {
  const { responses } = await client.request(produceApi, 10, produceOf({ name: topic }, batchOf(values)))
  expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
}

async function valuesOf(broker: EmbeddedBroker, topic: string): Promise<string[]> {
  return (await broker.topic(topic).records()).map(({ value }) => String(value))
}

/** The files of the only partition of the only topic. */
function logFiles(): string[] {
  const topic = join(directory, 'logs', readdirSync(join(directory, 'logs'))[0]!, '0')
  return readdirSync(topic).map((name) => join(topic, name))
}

describe('a broker with a directory', () => {
  test('has topics, settings, records and offsets again after a restart', async () => {
    await withBroker(
      async (_broker, client) => {
        await write(client, 'a', 'one', 'two')
        await write(client, 'gone', 'x')
        await client.request(createPartitionsApi, 3, {
          topics: [{ name: 'a', count: 3, assignments: null }],
          timeoutMs: 1000,
          validateOnly: false,
        })
        const configs = [{ name: 'retention.ms', configOperation: 0, value: '86400000' }]
        const resources = [{ resourceType: 2, resourceName: 'a', configs }]
        await client.request(incrementalAlterConfigsApi, 1, { resources, validateOnly: false })
        const partitions = [{ partitionIndex: 0, committedOffset: 2, committedMetadata: 'm' }]
        await client.request(offsetCommitApi, 8, {
          groupId: 'g',
          memberId: '',
          generationIdOrMemberEpoch: -1,
          topics: [{ name: 'a', partitions }],
        })
        await client.request(deleteTopicsApi, 5, { topicNames: ['gone'], timeoutMs: 1000 })
      },
      { topics: { a: 1, gone: 1 } },
    )
    await withBroker(async (broker, client) => {
      expect(broker.topics()).toEqual(['a'])
      expect(broker.topic('a').offsets()).toHaveLength(3)
      expect(await valuesOf(broker, 'a')).toEqual(['one', 'two'])
      expect(broker.groups()).toMatchObject([
        { id: 'g', offsets: [{ topic: 'a', partition: 0, offset: 2n, metadata: 'm' }] },
      ])
      await write(client, 'a', 'three')
    })
    await withBroker(async (broker) => expect(await valuesOf(broker, 'a')).toEqual(['one', 'two', 'three']))
  })

  test('is the settings of brokers and groups', async () => {
    const settings = [
      { resourceType: 4, resourceName: '0', name: 'message.max.bytes', value: '5000' },
      { resourceType: 32, resourceName: 'g', name: 'consumer.session.timeout.ms', value: '50000' },
    ]
    await withBroker(async (_, client) => {
      const resources = settings.map(({ resourceType, resourceName, name, value }) => ({
        resourceType,
        resourceName,
        configs: [{ name, configOperation: 0, value }],
      }))
      await client.request(incrementalAlterConfigsApi, 1, { resources, validateOnly: false })
    })
    await withBroker(
      async (_, client) => {
        const topic = { resourceType: 2, resourceName: 'a', name: 'max.message.bytes', value: '5000' }
        const resources = [...settings, topic].map(({ resourceType, resourceName, name }) => ({
          resourceType,
          resourceName,
          configurationKeys: [name],
        }))
        const { results } = await client.request(describeConfigsApi, 4, { resources })
        expect(results.map(({ configs }) => configs[0]?.value)).toEqual(['5000', '50000', '5000'])
      },
      { topics: { a: 1 } },
    )
  })

  test('leaves topics that exist as they are, and creates the others', async () => {
    await withBroker(async (_broker, client) => write(client, 'a', 'one'), { topics: { a: 1 } })
    await withBroker(
      async (broker) => {
        expect(await valuesOf(broker, 'a')).toEqual(['one'])
        expect(broker.topics()).toEqual(['a', 'b'])
      },
      { topics: { a: 2, b: 2 } },
    )
  })

  test('knows the batches of an idempotent producer, and gives its id to no other one', async () => {
    const batch = (producerId: number): Buffer => batchOf(['once'], { producerId, producerEpoch: 0, baseSequence: 0 })
    const identify = { transactionalId: null, transactionTimeoutMs: 1000 }
    const first = await withBroker(
      async (_broker, client) => {
        const { producerId } = await client.request(initProducerIdApi, 4, identify)
        await client.request(produceApi, 10, produceOf({ name: 'a' }, batch(producerId)))
        return producerId
      },
      { topics: { a: 1 } },
    )
    await withBroker(async (broker, client) => {
      await client.request(produceApi, 10, produceOf({ name: 'a' }, batch(first)))
      expect(await valuesOf(broker, 'a')).toEqual(['once'])
      expect((await client.request(initProducerIdApi, 4, identify)).producerId).not.toBe(first)
    })
  })

  test('continues a transaction that was open, with its records and offsets', async () => {
    const transactionalId = 't'
    const producer = await withBroker(
      async (_broker, client) => {
        const identity = await client.request(initProducerIdApi, 5, { transactionalId, transactionTimeoutMs: 60_000 })
        const { producerId, producerEpoch } = identity
        const batch = batchOf(['open'], { producerId, producerEpoch, baseSequence: 0, attributes: 0x10 })
        await client.request(produceApi, 12, produceOf({ name: 'a' }, batch, { transactionalId }))
        const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }]
        const topics = [{ name: 'a', partitions }]
        await client.request(txnOffsetCommitApi, 5, {
          transactionalId,
          groupId: 'g',
          producerId,
          producerEpoch,
          topics,
        })
        return { producerId, producerEpoch }
      },
      { topics: { a: 1 } },
    )
    await withBroker(async (broker, client) => {
      expect(await valuesOf(broker, 'a')).toEqual([])
      expect(broker.groups()).toMatchObject([{ offsets: [] }])
      const answer = await client.request(endTxnApi, 5, { transactionalId, ...producer, committed: true })
      expect(answer.errorCode).toBe(0)
    })
    await withBroker(async (broker) => {
      expect(await valuesOf(broker, 'a')).toEqual(['open'])
      expect(broker.groups()).toMatchObject([{ offsets: [{ offset: 7n }] }])
      expect(broker.transactions()).toMatchObject([{ transactionalId: 't', state: 'CompleteCommit' }])
    })
  })

  test('keeps deleted records deleted, and a compacted topic compacted', async () => {
    await withBroker(
      async (broker, client) => {
        for (const value of ['1', '2']) await write(client, 'deleted', value)
        broker.expire('deleted', 0, { beforeOffset: 2 })
        for (const _ of [1, 2, 3]) await write(client, 'compacted', 'a', 'b')
        await broker.compact('compacted')
        await write(client, 'compacted', 'c')
      },
      { topics: { deleted: 1, compacted: { partitions: 1, config: { 'cleanup.policy': 'compact' } } } },
    )
    await withBroker(async (broker, client) => {
      expect(broker.topic('deleted').offsets()).toMatchObject([{ start: 2n, end: 2n }])
      expect(await valuesOf(broker, 'compacted')).toEqual(['a', 'b', 'c'])
      expect(broker.topic('compacted').offsets()).toMatchObject([{ end: 7n }])
      await write(client, 'deleted', '3')
    })
    await withBroker(async (broker) => expect(await valuesOf(broker, 'deleted')).toEqual(['3']))
  })

  test('is not shared with a second broker', async () => {
    await withBroker(async () => {
      await expect(startBroker({ directory })).rejects.toThrow(
        `Cannot use the folder "${directory}" as process ${process.pid} on`,
      )
    })
    await withBroker(async () => {})
  })

  test('refuses a folder that holds something else', async () => {
    writeFileSync(join(directory, 'thesis.txt'), '')
    await expect(startBroker({ directory })).rejects.toThrow('holds other files (thesis.txt)')
  })
})

describe('when a broker opens its directory', () => {
  const withTwoBatches = async (): Promise<{ path: string; length: number; first: number }> => {
    let first = 0
    await withBroker(
      async (_broker, client) => {
        await write(client, 'a', 'one')
        first = statSync(logFiles()[0]!).size
        await write(client, 'a', 'two')
      },
      { topics: { a: 1 } },
    )
    const path = logFiles()[0]!
    return { path, length: statSync(path).size, first }
  }
  const opened = async (): Promise<{ values: string[]; lines: string[] }> => {
    const lines: string[] = []
    const values = await withBroker(async (broker) => valuesOf(broker, 'a'), { log: (line) => lines.push(line) })
    return { values, lines }
  }

  test('it cuts off a record batch that was not finished, with a warning', async () => {
    const { path, length } = await withTwoBatches()
    truncateSync(path, length - 1)
    const { values, lines } = await opened()
    expect(values).toEqual(['one'])
    expect(lines).toEqual([
      expect.stringMatching(/^Cut \d+ bytes off ".*\.log": its last record batch was not finished$/),
    ])
  })

  test('it refuses a log that is damaged in the middle, and says where', async () => {
    const { path } = await withTwoBatches()
    const bytes = readFileSync(path)
    bytes[70]! ^= 1
    writeFileSync(path, bytes)
    await expect(startBroker({ directory })).rejects.toMatchObject({
      code: 'DATA_DAMAGED',
      message: expect.stringContaining('is damaged at byte 0'),
    })
  })

  test('it refuses a log whose length field is damaged, rather than cut off what follows', async () => {
    const { path } = await withTwoBatches()
    const bytes = readFileSync(path)
    bytes.writeInt32BE(1_000_000, 8)
    writeFileSync(path, bytes)
    await expect(startBroker({ directory })).rejects.toMatchObject({ code: 'DATA_DAMAGED' })
  })

  test('it refuses logs without their journal, and without their files', async () => {
    const { path } = await withTwoBatches()
    const journal = readFileSync(join(directory, 'journal'))
    rmSync(join(directory, 'journal'))
    await expect(startBroker({ directory })).rejects.toThrow('has logs but no journal')
    writeFileSync(join(directory, 'journal'), journal)
    rmSync(path)
    await expect(startBroker({ directory })).rejects.toThrow('has no log file')
  })

  test('it cuts off a line of the journal that was not finished', async () => {
    await withTwoBatches()
    appendFileSync(join(directory, 'journal'), '0123abcd {"is":"topic')
    const { values, lines } = await opened()
    expect(values).toEqual(['one', 'two'])
    expect(lines).toEqual([expect.stringContaining('its last line was not finished')])
  })

  test('it refuses a journal that is damaged in the middle, and says where', async () => {
    await withTwoBatches()
    const path = join(directory, 'journal')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"name":"a"', '"name":"b"'))
    await expect(startBroker({ directory })).rejects.toThrow(/Line \d+ of ".*journal" is damaged/)
  })
})

test('clients continue where they were after a restart at the same port', async () => {
  const port = await withBroker(async ({ bootstrapServers }) => Number(bootstrapServers.split(':')[1]))
  const start = async (): Promise<EmbeddedBroker> => startBroker({ port, directory, topics: { a: 1 } })
  const stack = new AsyncDisposableStack()
  const first = await start()
  stack.defer(async () => second.close())
  const { bootstrapServers } = first
  const sink = stack.use(new KafkaSink({ bootstrapServers, topic: 'a' }))
  const source = stack.use(new KafkaSource({ bootstrapServers, topics: 'a', groupId: 'g' }))
  const read = source[Symbol.asyncIterator]()
  await sink.send({ value: 'before' })
  expect(String((await read.next()).value!.value)).toBe('before')
  await first.close()
  const second = await start()
  await sink.send({ value: 'after' })
  expect(String((await read.next()).value!.value)).toBe('after')
  await stack.disposeAsync()
})
