import { describe, expect, test } from 'vitest'
import { KafkaSource, type KafkaSourceOptions, type TopicPartition } from '../../src/index.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { topicBed } from '../support/topics.ts'

const numbered = (count: number, partition = 0) =>
  Array.from({ length: count }, (_, i) => ({ value: `${i}`, partition, timestampMs: 1_700_000_000_000 + i * 1000 }))

describe.skipIf(!brokerAvailable)('a KafkaSource under control', () => {
  const bed = topicBed()
  const sourceOf = (options: Partial<KafkaSourceOptions>): KafkaSource =>
    new KafkaSource({ bootstrapServers: bootstrapServers(), ...options } as KafkaSourceOptions)

  test('seeks to an offset, to a time, to the end and to the beginning, in the midst of a loop', async () => {
    const topic = await bed().create()
    await bed().write(topic, numbered(100))
    await using source = sourceOf({ topics: topic })
    const place = { topic, partition: 0 }
    const seen: number[] = []
    for await (const { value } of source) {
      seen.push(Number(value))
      if (seen.length === 3) await source.seek(place, 50n)
      if (seen.length === 5) await source.seek(place, new Date(1_700_000_000_000 + 89_500))
      if (seen.length === 7) await source.seek(place, 'earliest')
      if (seen.length === 9) {
        await source.seek(place, 'latest')
        await bed().write(topic, [{ value: '1000' }])
      }
      if (seen.length === 10) break
    }
    expect(seen).toEqual([0, 1, 2, 50, 51, 90, 91, 0, 1, 1000])
  })

  test('a position that was sought is committed, and where a restart begins', async () => {
    const topic = await bed().create()
    const groupId = uniqueName('group')
    await bed().write(topic, numbered(20))
    const source = sourceOf({ topics: topic, groupId })
    await source.open()
    await source.seek({ topic, partition: 0 }, 15)
    await source.close()
    await using next = sourceOf({ topics: topic, groupId, untilEnd: true })
    const seen: number[] = []
    for await (const { value } of next) seen.push(Number(value))
    expect(seen).toEqual([15, 16, 17, 18, 19])
  })

  test('refuses to seek in what is not assigned, and to what is no position', async () => {
    const topic = await bed().create()
    await using source = sourceOf({ topics: topic })
    await expect(source.seek({ topic, partition: 0 }, 0)).rejects.toThrow('call open first')
    await source.open()
    await expect(source.seek({ topic, partition: 7 }, 0)).rejects.toThrow('as it is not assigned')
    await expect(source.seek({ topic, partition: 0 }, -1)).rejects.toThrow('must be a whole number of at least 0')
  })

  test('reads the partitions that are named, from where they say, and no others', async () => {
    const topic = await bed().create({ partitions: 3 })
    for (const partition of [0, 1, 2]) await bed().write(topic, numbered(10, partition))
    await using source = sourceOf({
      partitions: [
        { topic, partition: 2, offset: 7n },
        { topic, partition: 0 },
      ],
      untilEnd: true,
    })
    const seen: string[] = []
    for await (const { partition, value } of source) seen.push(`${partition}:${value!.toString()}`)
    expect(seen.toSorted()).toEqual([...Array.from({ length: 10 }, (_, i) => `0:${i}`), '2:7', '2:8', '2:9'])
  })

  test('reports its lag per partition, in records and in time', async () => {
    const topic = await bed().create({ partitions: 2 })
    const before = Date.now()
    await bed().write(topic, numbered(10, 0))
    await using source = sourceOf({ topics: topic })
    expect(await source.lag()).toEqual([])
    for await (const { offset } of source) if (offset === 3n) break
    // The record at which the loop was left comes again, so it counts.
    await expect.poll(async () => (await source.lag()).map(({ endOffset }) => endOffset)).toEqual([10n, 0n])
    const [first, second] = await source.lag()
    expect(first).toMatchObject({ topic, partition: 0, position: 3n, endOffset: 10n, lag: 7n })
    expect(first!.lagMs).toBeGreaterThanOrEqual(before - 1_700_000_010_000)
    expect(second).toMatchObject({ position: 0n, endOffset: 0n, lag: 0n, lagMs: 0 })
  })

  // With `untilEnd` nothing fetches a partition that has been read, so its lag was unknown and its lag in time grew.
  test('has no lag when it has read all there was', async () => {
    const topic = await bed().create()
    await bed().write(topic, numbered(10))
    await using source = sourceOf({ topics: topic, untilEnd: true })
    for await (const { offset } of source) expect(offset).toBeLessThan(10n)
    expect(await source.lag()).toMatchObject([{ position: 10n, endOffset: 10n, lag: 0n, lagMs: 0 }])
  })

  test('calls its listeners, and waits for them before partitions are read and before they go', async () => {
    const topic = await bed().create({ partitions: 4 })
    const groupId = uniqueName('group')
    for (const partition of [0, 1, 2, 3]) await bed().write(topic, numbered(10, partition))
    const happened: string[] = []
    const options = { topics: topic, groupId, assignors: ['cooperative-sticky'] as const }
    const named = (partitions: readonly TopicPartition[]): string => partitions.map(({ partition }) => partition).join()
    const first = sourceOf({
      ...options,
      onAssigned: async (partitions, { seek }) => {
        happened.push(`assigned ${named(partitions)}`)
        for (const each of partitions) await seek(each, 8)
      },
      onRevoked: async (partitions, { commit }) => {
        happened.push(`revoked ${partitions.length}`)
        await new Promise((resolve) => setTimeout(resolve, 300))
        await commit()
        happened.push('let go')
      },
    })
    const seen: string[] = []
    const reading = first.process(({ partition, offset }) => void seen.push(`${partition}@${offset}`))
    await expect.poll(() => seen.length).toBe(8)
    expect(seen.toSorted()).toEqual([0, 1, 2, 3].flatMap((partition) => [`${partition}@8`, `${partition}@9`]))

    const second = sourceOf({
      ...options,
      onAssigned: (partitions) => void happened.push(`second ${partitions.length}`),
    })
    const others = second.process(() => {})
    await expect.poll(() => happened).toEqual(['assigned 0,1,2,3', 'revoked 2', 'let go', 'second 2'])
    await first.close()
    await reading
    expect(happened.slice(4, 6)).toEqual(['revoked 2', 'let go'])
    await second.close()
    await others
  })

  test('an error in onAssigned ends reading; one in onRevoked is a warning', async () => {
    const topic = await bed().create()
    const failing = sourceOf({
      topics: topic,
      groupId: uniqueName('group'),
      onAssigned: () => {
        throw new Error('no place for them')
      },
    })
    await expect(failing.open()).rejects.toThrow('no place for them')
    await failing.close()
    const warnings: string[] = []
    const source = sourceOf({
      topics: topic,
      groupId: uniqueName('group'),
      onRevoked: () => Promise.reject(new Error('cannot flush')),
      onWarning: (message: string) => void warnings.push(message),
    })
    await source.open()
    await source.close()
    expect(warnings).toEqual(['onRevoked failed: cannot flush'])
  })

  test('polls some records at a time; what was returned is committed with the next call or by commit', async () => {
    const topic = await bed().create()
    const groupId = uniqueName('group')
    await bed().write(topic, numbered(25))
    const source = sourceOf({ topics: topic, groupId, commit: { strategy: 'manual' } })
    const committed = async (): Promise<unknown> => (await bed().groups.committedOffsets(groupId))[0]?.offset
    const values: number[][] = []
    for (let call = 0; call < 2; call++)
      values.push((await source.poll({ timeoutMs: 10_000, maxRecords: 10 })).map(({ value }) => Number(value)))
    expect(values).toEqual([Array.from({ length: 10 }, (_, i) => i), Array.from({ length: 10 }, (_, i) => i + 10)])
    expect(await committed()).toBeUndefined()
    await source.commit()
    expect(await committed()).toBe(20)
    expect((await source.poll({ timeoutMs: 10_000, maxRecords: 10 })).length).toBe(5)
    expect(await source.poll({ timeoutMs: 50 })).toEqual([])
    await source.commitOffsets([{ topic, partition: 0, offset: 12n, metadata: 'by hand' }])
    expect(await committed()).toBe(12)
    await expect(source.batches().next()).rejects.toThrow('in two loops at a time')
    await source.close()
    await expect(source.poll()).rejects.toMatchObject({ code: 'CLOSED' })
    expect(await committed()).toBe(12)
  })

  test('offsets are not committed by hand beside automatic commits, nor without a group', async () => {
    const topic = await bed().create()
    await using grouped = sourceOf({ topics: topic, groupId: uniqueName('group') })
    await grouped.open()
    await expect(grouped.commitOffsets([{ topic, partition: 0, offset: 0 }])).rejects.toThrow("{strategy: 'manual'}")
    await using alone = sourceOf({ topics: topic })
    await alone.open()
    await expect(alone.commitOffsets([{ topic, partition: 0, offset: 0 }])).rejects.toThrow('without a groupId')
  })
})

describe.skipIf(!brokerAvailable)('a KafkaSource that names topics by regular expressions', () => {
  const bed = topicBed()
  const IMPATIENT = { metadataMaxAgeMs: 300, sessionTimeoutMs: 6000, autoOffsetReset: 'latest' } as const

  test.each<{ name: string; options: (group: string) => object }>([
    { name: 'without a group', options: () => ({ metadataMaxAgeMs: 300, autoOffsetReset: 'latest' }) },
    { name: 'in a classic group', options: (groupId) => ({ ...IMPATIENT, groupId }) },
    {
      name: 'in a cooperative group',
      options: (groupId) => ({ ...IMPATIENT, groupId, assignors: ['cooperative-sticky'] }),
    },
    {
      name: 'in a group of KIP-848',
      options: (groupId) => ({ metadataMaxAgeMs: 300, autoOffsetReset: 'latest', groupId, groupProtocol: 'consumer' }),
    },
  ])('reads those that match, and from their beginning those that are created later, $name', async ({ options }) => {
    const prefix = uniqueName('family')
    const create = async (suffix: string): Promise<string> => {
      const name = `${prefix}-${suffix}`
      await bed().admin.createTopic({ name, partitions: 2 })
      return name
    }
    const first = await create('a')
    const other = await bed().create()
    const seen: string[] = []
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: [new RegExp(`^${prefix}-`, 'g'), other],
      ...options(uniqueName('group')),
    })
    await source.open()
    const reading = source.process(({ topic, value }) => void seen.push(`${topic}: ${value!.toString()}`))
    await bed().write(first, [{ value: '1' }])
    await bed().write(other, [{ value: '2' }])
    await expect.poll(() => seen.toSorted()).toEqual([`${first}: 1`, `${other}: 2`].toSorted())
    const later = await create('b')
    await bed().write(
      later,
      [0, 1].map((partition) => ({ value: `3-${partition}`, partition })),
    )
    await expect.poll(() => seen.slice(2).toSorted()).toEqual([`${later}: 3-0`, `${later}: 3-1`])
    await source.close()
    await reading
    expect(seen.length).toBe(4)
  })
})
