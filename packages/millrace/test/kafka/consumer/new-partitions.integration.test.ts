import { describe, expect, test } from 'vitest'
import { Admin, KafkaSource, type KafkaSourceOptions } from '../../../src/index.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { Consumer } from '../../../src/kafka/consumer/consumer.ts'
import { parseOptions } from '../../../src/options/parse.ts'
import { CONSUMER_FIELDS } from '../../../src/kafka/properties/consumer-fields.ts'
import { consumerSettings } from '../../../src/kafka/properties/settings.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../../support/broker.ts'
import { numbered } from '../../support/numbered.ts'
import { topicBed } from '../../support/topics.ts'

describe.skipIf(!brokerAvailable)('partitions that appear while a consumer is subscribed', { timeout: 60_000 }, () => {
  const bed = topicBed()

  // Without a group they were never read. In a group what was written before they were found was lost: 727 of 12,000 records.
  test.each([
    { name: 'without a group', options: {} },
    { name: 'in a classic group', options: { groupProtocol: 'classic', heartbeatIntervalMs: 200 } },
    { name: 'in a group of the consumer protocol', options: { groupProtocol: 'consumer' } },
  ] as const)('are read from their beginning $name', async ({ name, options }) => {
    const topic = await bed().create({ partitions: 2 })
    await bed().write(topic, numbered(10))
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: topic,
      autoOffsetReset: 'latest',
      metadataMaxAgeMs: 300,
      ...(name === 'without a group' ? {} : { groupId: uniqueName('group') }),
      ...options,
    } satisfies Partial<KafkaSourceOptions>)
    await source.open()
    await expect.poll(() => source.assignment()).toHaveLength(2)
    await bed().admin.createPartitions(topic, 3)
    await bed().cluster.refresh([topic])
    await bed().write(
      topic,
      Array.from({ length: 50 }, (_, n) => ({ value: `new ${n}`, partition: 2 })),
    )
    const values: string[] = []
    for await (const { value } of source) {
      values.push(value!.toString())
      if (values.length === 50) break
    }
    expect(values).toEqual(Array.from({ length: 50 }, (_, n) => `new ${n}`))
  })

  // The group began with two partitions; whoever joins it first after the topic has grown sees three.
  test('are read from their beginning by a member that joins later', async () => {
    const topic = await bed().create({ partitions: 2 })
    const group = { groupId: uniqueName('group'), autoOffsetReset: 'latest' } as const
    {
      await using first = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: topic, ...group })
      await first.open()
      await first.commit()
    }
    await bed().admin.createPartitions(topic, 3)
    await bed().cluster.refresh([topic])
    await bed().write(topic, [{ value: 'new', partition: 2 }])
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: topic,
      ...group,
      untilEnd: true,
    })
    const values: string[] = []
    for await (const { value } of source) values.push(value!.toString())
    expect(values).toEqual(['new'])
  })

  // Their owner had read them and died before its first commit. They were read from their end, so that what it had read was lost.
  describe.each(['classic', 'consumer'] as const)('in a group of the %s protocol', (groupProtocol) => {
    const commits = { 'by interval': {}, 'by hand': { commit: { strategy: 'manual' } } } as const
    test.each(['by interval', 'by hand'] as const)(
      'are read from their beginning by a member that joins when one of them is committed, %s',
      async (how) => {
        const topic = await bed().create({ partitions: 2 })
        await bed().write(topic, [{ value: 'old', partition: 1 }])
        const options = { groupId: uniqueName('group'), autoOffsetReset: 'latest', groupProtocol } as const
        const client = { bootstrapServers: bootstrapServers(), topics: topic, ...options, ...commits[how] }
        {
          await using first = new KafkaSource(client)
          await first.open()
          await expect.poll(() => first.assignment()).toHaveLength(2)
          if (how === 'by interval') await first.commit()
          // The other partition has no committed offset, and is as old.
          else await first.commitOffsets([{ topic, partition: 0, offset: 0n }])
        }
        await bed().admin.createPartitions(topic, 4)
        await bed().cluster.refresh([topic])
        await bed().write(topic, [
          { value: 'committed', partition: 3 },
          { value: 'first', partition: 2 },
          { value: 'second', partition: 2 },
        ])
        await using admin = new Admin({ bootstrapServers: bootstrapServers() })
        await admin.resetOffsets(options.groupId, { to: 'latest', partitions: [{ topic, partition: 3 }] })
        await using source = new KafkaSource({ ...client, untilEnd: true })
        const values: string[] = []
        for await (const { value } of source) values.push(value!.toString())
        expect(values).toEqual(['first', 'second'])
      },
    )
  })

  test('are no others beside one whose offset the program gives', async () => {
    const topic = await bed().create({ partitions: 2 })
    await bed().write(topic, [
      { value: 'chosen', partition: 0 },
      { value: 'old', partition: 1 },
    ])
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      partitions: [
        { topic, partition: 0, offset: 0 },
        { topic, partition: 1 },
      ],
      autoOffsetReset: 'latest',
      untilEnd: true,
    })
    const values: string[] = []
    for await (const { value } of source) values.push(value!.toString())
    expect(values).toEqual(['chosen'])
  })
})

describe.skipIf(!brokerAvailable)('partitions that are lost while their offsets are being found', () => {
  const bed = topicBed()

  // They were read all the same, so that another member and this one delivered every record.
  test('are not read (I3)', async () => {
    const topic = await bed().create()
    const cluster = new Cluster({ bootstrapServers: [bootstrapServers()], clientId: 'consumer' })
    await cluster.refresh([topic])
    const { consumer: settings } = consumerSettings(
      parseOptions({ options: CONSUMER_FIELDS, rules: [] }, { bootstrapServers: bootstrapServers() }).options,
    )
    const consumer = new Consumer({
      cluster,
      topics: [topic],
      settings,
      untilEnd: false,
      component: 'kafka',
      warn() {},
    })
    const partition = { topic, partition: 0 }
    const assigning = consumer.onAssigned([{ ...partition, committed: undefined }])
    consumer.onLost([partition])
    await assigning
    expect(consumer.assignment).toEqual([])
    await consumer.close()
    await cluster.close()
  })
})
