import { expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../src/index.ts'

// A restart in the midst of a record batch of which compaction had removed the rest: the loop failed with a TypeError, again and again.
test('a loop passes over what compaction has left empty, and what it commits lies behind', async () => {
  const config = { 'cleanup.policy': 'compact' }
  await using broker = await startBroker({ topics: { states: { partitions: 1, config } } })
  const { bootstrapServers } = broker
  {
    await using sink = new KafkaSink({ bootstrapServers, topic: 'states', compression: 'none' })
    await sink.write(['first', 'k', 'k', 'k'].map((key, i) => ({ key, value: String(i) })))
    await sink.write(['k', 'last'].map((key, i) => ({ key, value: String(4 + i) })))
  }
  const options = { bootstrapServers, topics: 'states', groupId: 'g', autoOffsetReset: 'earliest' } as const
  {
    await using source = new KafkaSource(options)
    for await (const record of source) {
      if (record.offset !== 1n) continue
      await source.commit(record)
      break
    }
  }
  await broker.compact('states')
  // One record batch per request, so that the one without records comes alone.
  await using source = new KafkaSource({ ...options, untilEnd: true, maxPartitionFetchBytes: 1 })
  const read: string[] = []
  for await (const { offset, value } of source) read.push(`${offset} ${String(value)}`)
  expect(read).toEqual(['4 4', '5 5'])
  await source.close()
  expect(broker.groups()[0]?.offsets).toMatchObject([{ offset: 6n }])
})

test('a partition that is paused in the body delivers nothing more, and continues behind the record at which it was paused', async () => {
  await using broker = await startBroker({ topics: { numbers: 2 } })
  const { bootstrapServers } = broker
  {
    await using sink = new KafkaSink({ bootstrapServers, topic: 'numbers' })
    await sink.write(Array.from({ length: 2000 }, (_, i) => ({ value: String(i), partition: i % 2 })))
  }
  await using source = new KafkaSource({
    bootstrapServers,
    topics: 'numbers',
    groupId: 'g',
    autoOffsetReset: 'earliest',
  })
  const read: bigint[][] = [[], []]
  let paused = -1
  for await (const { partition, offset } of source) {
    if (partition === paused && read[1 - paused]!.length < 1000) expect.unreachable('it is paused')
    read[partition]!.push(offset)
    if (paused < 0 && offset === 20n) {
      paused = partition
      source.pause([{ topic: 'numbers', partition }])
    }
    const [first, second] = read as [bigint[], bigint[]]
    if (first.length + second.length === 1021) source.resume([{ topic: 'numbers', partition: paused }])
    if (first.length + second.length === 2000) break
  }
  const all = Array.from({ length: 1000 }, (_, i) => BigInt(i))
  expect(read).toEqual([all, all])
})
