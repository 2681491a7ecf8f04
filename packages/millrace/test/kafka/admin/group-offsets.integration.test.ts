import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { KafkaSource } from '../../../src/index.ts'
import { groupOffsets, resetGroupOffsets } from '../../../src/kafka/admin/group-offsets.ts'
import { commitOnce } from '../../../src/kafka/group/committed-offsets.ts'
import { GroupCoordinator } from '../../../src/kafka/group/coordinator.ts'
import { kafkaErrorName } from '../../../src/kafka/protocol/kafka-errors.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../../support/broker.ts'
import { topicBed } from '../../support/topics.ts'

const RECORDS = 10

describe.skipIf(!brokerAvailable)('offsets of groups', () => {
  const bed = topicBed()

  /** A topic with two partitions of ten records each, and a time between the fifth and the sixth of each. */
  async function filled(): Promise<{ topic: string; between: number }> {
    const topic = await bed().create({ partitions: 2 })
    const write = (from: number, to: number): Promise<void> =>
      bed().write(
        topic,
        Array.from({ length: 2 * (to - from) }, (_, i) => ({ value: String(i), partition: i % 2 })),
      )
    await write(0, RECORDS / 2)
    await sleep(20)
    const between = Date.now()
    await sleep(20)
    await write(RECORDS / 2, RECORDS)
    return { topic, between }
  }

  /** A group that has read everything and committed it, and is gone. */
  async function read(topic: string, options: object = {}): Promise<string> {
    const groupId = uniqueName('group')
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: topic,
      groupId,
      untilEnd: true,
      ...options,
    })
    for await (const batch of source.batches()) batch.ack()
    await source.commit()
    return groupId
  }

  async function committed(groupId: string): Promise<(number | undefined)[]> {
    return (await groupOffsets(bed().cluster, groupId, undefined)).map(({ offset }) => offset)
  }

  test('come with the lag', async () => {
    const { topic } = await filled()
    const groupId = await read(topic)
    await bed().write(topic, [{ value: 'late', partition: 1 }])
    const offsets = { topic, offset: 10, logStart: 0, metadata: '' }
    const lags = [
      { ...offsets, partition: 0, logEnd: 10, lag: 0 },
      { ...offsets, partition: 1, logEnd: 11, lag: 1 },
    ]
    expect(await groupOffsets(bed().cluster, groupId, undefined)).toEqual(lags)
    expect(await groupOffsets(bed().cluster, groupId, [topic])).toEqual(lags)
  })

  test('of topics that a group has not read are not there', async () => {
    const { topic } = await filled()
    const groupId = uniqueName('group')
    expect(await groupOffsets(bed().cluster, groupId, undefined)).toEqual([])
    expect(await groupOffsets(bed().cluster, groupId, [topic])).toMatchObject([
      { partition: 0, offset: undefined, logEnd: 10, lag: undefined },
      { partition: 1, offset: undefined, logEnd: 10, lag: undefined },
    ])
    await expect(groupOffsets(bed().cluster, groupId, [topic, 'never-there'])).rejects.toMatchObject({
      code: 'TOPIC_NOT_FOUND',
    })
  })

  test.each(['classic', 'consumer'] as const)(
    'cannot be reset while the group has members, with group.protocol %s',
    async (groupProtocol) => {
      const { topic } = await filled()
      const groupId = uniqueName('group')
      const source = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: topic, groupId, groupProtocol })
      const reading = (async () => {
        for await (const batch of source.batches()) batch.ack()
      })()
      const reset = (): Promise<unknown> => resetGroupOffsets(bed().cluster, groupId, { to: 'earliest' })
      await expect.poll(async () => (await source.assignment()).length, { timeout: 20_000 }).toBe(2)
      await expect.poll(async () => (await source.progress())?.records).toBe(2 * RECORDS)
      await source.commit()

      const description = await bed().groups.describeGroup(groupId)
      expect(description).toMatchObject({ groupId, type: groupProtocol, state: 'Stable' })
      expect(description.members).toHaveLength(1)
      expect(description.members[0]!.assignment.toSorted((a, b) => a.partition - b.partition)).toEqual([
        { topic, partition: 0 },
        { topic, partition: 1 },
      ])
      expect(await bed().groups.listGroups()).toContainEqual(
        expect.objectContaining({ groupId, type: groupProtocol, state: 'Stable', protocolType: 'consumer' }),
      )
      await expect(reset()).rejects.toMatchObject({
        code: 'GROUP_FAILED',
        kafkaName: 'NON_EMPTY_GROUP',
        message: expect.stringContaining(
          `Cannot reset the offsets of group "${groupId}", as it has members: stop them first`,
        ),
      })
      // The coordinator refuses it too, should a member come between the look at the group and the commit.
      const codes = await commitOnce(
        new GroupCoordinator(bed().cluster, groupId),
        { memberId: '', generation: -1, isEpoch: false },
        [{ topic, partition: 0, offset: 0 }],
      )
      expect(codes.map(kafkaErrorName)).toEqual(['UNKNOWN_MEMBER_ID'])
      await expect(bed().groups.deleteGroup(groupId)).rejects.toMatchObject({ kafkaName: 'NON_EMPTY_GROUP' })
      expect(await resetGroupOffsets(bed().cluster, groupId, { to: 'earliest', dryRun: true })).toMatchObject([
        { partition: 0, from: 10, to: 0 },
        { partition: 1, from: 10, to: 0 },
      ])
      expect(await committed(groupId)).toEqual([10, 10])

      await source.close()
      await reading
      await expect.poll(async () => (await bed().groups.describeGroup(groupId)).state).toBe('Empty')
      await reset()
      expect(await committed(groupId)).toEqual([0, 0])
      expect(await bed().groups.deleteGroup(groupId)).toBe(true)
      expect(await bed().groups.describeGroup(groupId)).toMatchObject({ state: 'Dead', members: [] })
    },
  )

  test('are reset to an end, a time, an offset, or by a number of records, and to what is in the log', async () => {
    const { topic, between } = await filled()
    const groupId = await read(topic)
    await bed().admin.deleteRecords([{ topic, partition: 0, offset: 3 }])
    const steps = [
      { to: 'earliest', want: [3, 0] },
      { to: { shiftBy: 2 }, want: [5, 2] },
      { to: { shiftBy: -4n }, want: [3, 0] },
      { to: { timestampMs: between }, want: [5, 5] },
      { to: { timestampMs: Date.now() + 100_000 }, want: [10, 10] },
      { to: { offset: 1n }, want: [3, 1] },
      { to: { offset: 7 }, want: [7, 7] },
      { to: { offset: 1_000_000 }, want: [10, 10] },
      { to: { shiftBy: 1 }, want: [10, 10] },
      { to: 'latest', want: [10, 10] },
    ] as const
    let before: readonly number[] = [10, 10]
    for (const { to, want } of steps) {
      const plan = want.map((offset, partition) => ({ topic, partition, from: before[partition], to: offset }))
      expect(await resetGroupOffsets(bed().cluster, groupId, { to, dryRun: true })).toEqual(plan)
      expect(await committed(groupId)).toEqual(before)
      expect(await resetGroupOffsets(bed().cluster, groupId, { to })).toEqual(plan)
      expect(await committed(groupId)).toEqual(want)
      before = want
    }
  })

  test('are reset for some partitions only, and for a group that does not exist yet', async () => {
    const { topic } = await filled()
    const groupId = await read(topic)
    const one = { topic, partition: 1 }
    expect(await resetGroupOffsets(bed().cluster, groupId, { to: 'earliest', partitions: [one] })).toEqual([
      { ...one, from: 10, to: 0 },
    ])
    expect(await committed(groupId)).toEqual([10, 0])
    expect(
      await resetGroupOffsets(bed().cluster, groupId, { to: 'latest', topics: [topic], partitions: [one] }),
    ).toHaveLength(2)
    expect(await committed(groupId)).toEqual([10, 10])
    expect(await resetGroupOffsets(bed().cluster, groupId, { to: 'earliest', topics: [] })).toEqual([])

    const fresh = uniqueName('group')
    expect(await resetGroupOffsets(bed().cluster, fresh, { to: 'latest' })).toEqual([])
    await expect(
      resetGroupOffsets(bed().cluster, fresh, { to: { shiftBy: 1 }, topics: [topic] }),
    ).rejects.toMatchObject({ code: 'NO_COMMITTED_OFFSET', topic, partition: 0 })
    await resetGroupOffsets(bed().cluster, fresh, { to: 'latest', topics: [topic] })
    expect(await committed(fresh)).toEqual([10, 10])
    // A member goes on there.
    expect(await bed().values(topic, { groupId: fresh })).toEqual([])
  })

  test('say what does not exist, and to what they cannot be reset', async () => {
    const { topic } = await filled()
    const groupId = await read(topic)
    const reset = (options: object): Promise<unknown> =>
      resetGroupOffsets(bed().cluster, groupId, { to: 'earliest', ...options })
    await expect(reset({ topics: ['never-there'] })).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' })
    await expect(reset({ partitions: [{ topic, partition: 7 }] })).rejects.toThrow('has partitions 0 to 1')
    for (const to of ['newest', { offset: 1.5 }, { offset: '1' }, {}, null, undefined])
      await expect(reset({ to })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('of a topic that was deleted are left out', async () => {
    const { topic } = await filled()
    const other = await bed().create()
    const groupId = await read(topic)
    await resetGroupOffsets(bed().cluster, groupId, { to: 'latest', topics: [other] })
    await bed().admin.deleteTopics([topic])
    await resetGroupOffsets(bed().cluster, groupId, { to: 'earliest' })
    // Brokers forget offsets of deleted topics after a moment.
    for (const each of await groupOffsets(bed().cluster, groupId, undefined))
      expect(each.logEnd).toBe(each.topic === topic ? undefined : 0)
  })
})
