import { describe, expect, test } from 'vitest'
import { KafkaSource, type KafkaSourceOptions } from '../../../src/index.ts'
import { commitOnce } from '../../../src/kafka/group/committed-offsets.ts'
import { GroupCoordinator } from '../../../src/kafka/group/coordinator.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../../support/broker.ts'
import { numbered } from '../../support/numbered.ts'
import { topicBed } from '../../support/topics.ts'
import { TransactionalWriter } from '../../support/transactional-writer.ts'

describe.skipIf(!brokerAvailable)('a bounded run', { timeout: 60_000 }, () => {
  const bed = topicBed()

  /** Reads to the end. @returns how many records there were, and the warnings */
  async function read(
    topics: string,
    options: Partial<KafkaSourceOptions> = {},
  ): Promise<{ count: number; warnings: string[] }> {
    const warnings: string[] = []
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics,
      untilEnd: true,
      onWarning: (message: string) => warnings.push(message),
      ...options,
    })
    let count = 0
    for await (const batch of source.batches()) {
      count += batch.length
      batch.ack()
    }
    return { count, warnings }
  }

  async function commit(groupId: string, topic: string, offset: number): Promise<void> {
    const member = { memberId: '', generation: -1, instanceId: undefined, isEpoch: false }
    await commitOnce(new GroupCoordinator(bed().cluster, groupId), member, [{ topic, partition: 0, offset }])
  }

  // The first assignment of the broker may be empty: runs one after the other read 300, 0, 0, 0, 0 and 0 records.
  test.each(['consumer', 'classic'] as const)(
    'reads what is new each time as a member of a %s group',
    async (groupProtocol) => {
      const topic = await bed().create({ partitions: 3 })
      const groupId = uniqueName('group')
      const counts: number[] = []
      for (let run = 0; run < 3; run++) {
        await bed().write(topic, numbered(100))
        counts.push((await read(topic, { groupId, groupProtocol, autoOffsetReset: 'earliest' })).count)
      }
      expect(counts).toEqual([100, 100, 100])
    },
  )

  test('says that other members have all partitions', async () => {
    const topic = await bed().create()
    await bed().write(topic, numbered(10))
    const groupId = uniqueName('group')
    await using other = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: topic,
      groupId,
      groupProtocol: 'consumer',
    })
    await other.open()
    await expect.poll(() => other.assignment()).toHaveLength(1)
    const { count, warnings } = await read(topic, { groupId, groupProtocol: 'consumer', autoOffsetReset: 'earliest' })
    expect(count).toBe(0)
    expect(warnings).toEqual([expect.stringContaining('its 2 members have all of them')])
  })

  // It waited for records for ever.
  test('ends when its position was deleted and reading continues at the end', async () => {
    const topic = await bed().create()
    const groupId = uniqueName('group')
    await bed().write(topic, numbered(10))
    await commit(groupId, topic, 5)
    await bed().admin.deleteRecords([{ topic, partition: 0, offset: 10 }])
    const { count } = await read(topic, { groupId, autoOffsetReset: 'latest', offsetOutOfRange: 'reset' })
    expect(count).toBe(0)
  })

  // It ended at once, with success and without a word.
  test('fails where the committed offset is beyond the end of the log, or continues as configured', async () => {
    const topic = await bed().create()
    const groupId = uniqueName('group')
    await bed().write(topic, numbered(10))
    await commit(groupId, topic, 50)
    await expect(read(topic, { groupId })).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringContaining('Offset 50 of partition 0'),
    })
    const { count, warnings } = await read(topic, { groupId, autoOffsetReset: 'earliest', offsetOutOfRange: 'reset' })
    expect(count).toBe(10)
    expect(warnings).toEqual([expect.stringContaining('Offset 50 of partition 0')])
  })

  // A run ended with success while 1,000 committed records behind the transaction were unread.
  describe('that reads committed records only', () => {
    const options = { isolation: 'read_committed', autoOffsetReset: 'earliest' } as const

    test('waits for a transaction that is open', async () => {
      const topic = await bed().create()
      const writer = await TransactionalWriter.open(bed().cluster, uniqueName('writer'))
      await writer.write(topic, 0, ['a', 'b'])
      await bed().write(topic, numbered(10))
      await using source = new KafkaSource({
        bootstrapServers: bootstrapServers(),
        topics: topic,
        untilEnd: true,
        ...options,
      })
      const reading = Array.fromAsync(source)
      // It has been answered, and there is nothing that it may read.
      await expect.poll(async () => (await source.progress())?.lag).toBe(12)
      await writer.commit()
      expect(await reading).toHaveLength(12)
    })

    test('says what prevents the end when it does not end', async () => {
      const topic = await bed().create()
      await bed().write(topic, numbered(3))
      const writer = await TransactionalWriter.open(bed().cluster, uniqueName('writer'))
      await writer.write(topic, 0, ['a', 'b'])
      await bed().write(topic, numbered(10))
      const { count, warnings } = await read(topic, { ...options, apiTimeoutMs: 1500 })
      expect(count).toBe(3)
      expect(warnings).toEqual([
        expect.stringContaining(
          `12 records of one partition are behind an open transaction, at offset 3 of partition 0`,
        ),
      ])
      await writer.abort()
    })
  })
})
