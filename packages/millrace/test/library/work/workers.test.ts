import { expect, test } from 'vitest'
import { startBroker } from '../../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../../src/index.ts'

// What was taken of the partition with the slow handler filled the room for records that wait, and nothing else was read any more.
test.each(['partition', 'key', 'none'] as const)(
  'a handler that takes long holds up its own partition only, with orderBy %s',
  async (orderBy) => {
    await using broker = await startBroker({ topics: { numbers: 3 } })
    const { bootstrapServers } = broker
    {
      await using sink = new KafkaSink({ bootstrapServers, topic: 'numbers' })
      await sink.write(Array.from({ length: 15_000 }, (_, i) => ({ key: 'k', value: String(i), partition: i % 3 })))
    }
    await using source = new KafkaSource({
      bootstrapServers,
      topics: 'numbers',
      groupId: 'g',
      autoOffsetReset: 'earliest',
      untilEnd: true,
    })
    const seen: bigint[][] = [[], [], []]
    const slow = Promise.withResolvers<void>()
    const others = Promise.withResolvers<void>()
    const done = source.process(
      async ({ partition, offset }) => {
        if (partition === 0 && offset === 0n) await slow.promise
        seen[partition]!.push(offset)
        if (partition > 0 && seen[1]!.length + seen[2]!.length === 10_000) others.resolve()
      },
      { concurrency: 2, orderBy },
    )
    await others.promise
    slow.resolve()
    await done
    const all = Array.from({ length: 5000 }, (_, i) => BigInt(i))
    expect(seen.slice(1)).toEqual([all, all])
    expect(seen[0]!.toSorted((a, b) => Number(a - b))).toEqual(all)
    if (orderBy !== 'none') expect(seen[0]).toEqual(all)
    await source.close()
    expect(broker.groups()[0]?.offsets.map(({ offset }) => offset)).toEqual([5000n, 5000n, 5000n])
  },
)
