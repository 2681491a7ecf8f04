import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TopicAdmin } from '../../../src/kafka/admin/topics.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { listOffsets } from '../../../src/kafka/cluster/log-offsets.ts'
import { bootstrapServers, brokerAvailable, javaAvailable, javaTool, uniqueName } from '../../support/broker.ts'

const PRODUCER = 'org.apache.kafka.tools.ConsoleProducer'

describe.skipIf(!brokerAvailable)('offsets of logs', () => {
  let cluster: Cluster
  let admin: TopicAdmin
  beforeAll(() => {
    cluster = new Cluster({ bootstrapServers: bootstrapServers().split(','), clientId: 'test', apiTimeoutMs: 10_000 })
    admin = new TopicAdmin(cluster)
  })
  afterAll(() => cluster.close())

  test.skipIf(!javaAvailable)('finds the beginning, the end, and a time in a log', async () => {
    const name = uniqueName('offsets')
    await admin.createTopic({ name, partitions: 2 })
    const before = Date.now()
    const send = (lines: string): Promise<unknown> =>
      javaTool(
        PRODUCER,
        ['--bootstrap-server', bootstrapServers(), '--topic', name, '--reader-property', 'parse.key=true'],
        { stdin: lines },
      )
    const at = async (partition: number, when: 'earliest' | 'latest' | number) =>
      (await listOffsets(cluster, [{ topic: name, partition, at: when }]))[0]!
    // Two keys that murmur2 puts into different partitions of two.
    await send('a\t1\na\t2\na\t3\n')
    const ends = await listOffsets(
      cluster,
      [0, 1].map((partition) => ({ topic: name, partition, at: 'latest' as const })),
    )
    expect(ends.map(({ offset }) => offset).toSorted((a, b) => a - b)).toEqual([0, 3])
    const full = ends.find(({ offset }) => offset === 3)!.partition
    expect(await at(full, 'earliest')).toMatchObject({ topic: name, partition: full, offset: 0 })
    await new Promise((resolve) => setTimeout(resolve, 20))
    const between = Date.now()
    await send('a\t4\n')
    expect(await at(full, before)).toMatchObject({ offset: 0 })
    const fourth = await at(full, between)
    expect(fourth.offset).toBe(3)
    expect(fourth.timestampMs).toBeGreaterThanOrEqual(between)
    // Beyond the last record there is the end, so that what comes later is read.
    expect(await at(full, Date.now() + 100_000)).toMatchObject({ offset: 4, timestampMs: -1 })
    expect(await at(1 - full, before)).toMatchObject({ offset: 0 })

    await admin.deleteRecords([{ topic: name, partition: full, offset: 2 }])
    expect(await at(full, 'earliest')).toMatchObject({ offset: 2 })
    await expect(admin.deleteRecords([{ topic: name, partition: full, offset: 99 }])).rejects.toMatchObject({
      kafkaName: 'OFFSET_OUT_OF_RANGE',
    })
  })

  test('says which partition or topic does not exist', async () => {
    const name = uniqueName('offsets')
    await admin.createTopic({ name, partitions: 2 })
    await expect(listOffsets(cluster, [{ topic: name, partition: 2, at: 'latest' }])).rejects.toThrow(
      `${name}-2 as the topic has partitions 0 to 1`,
    )
    await expect(listOffsets(cluster, [{ topic: 'never-there', partition: 0, at: 'latest' }])).rejects.toMatchObject({
      code: 'TOPIC_NOT_FOUND',
    })
    expect(await listOffsets(cluster, [])).toEqual([])
  })
})
