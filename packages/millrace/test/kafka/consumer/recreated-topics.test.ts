/**
 * A topic that is deleted and created again under a consumer: an offset of the old one means nothing in the new one. It was committed for it
 * all the same, with the next interval or on close, and the next run passed over as many records of the new topic.
 */
import { describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { Admin, exactlyOnce, KafkaSink, KafkaSource, type KafkaSourceOptions } from '../../../src/index.ts'

const TOPIC = 'numbers'

async function write(broker: EmbeddedBroker, name: string, count: number): Promise<void> {
  await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: TOPIC })
  await sink.write(Array.from({ length: count }, (_, i) => ({ value: `${name} ${i}` })))
}

async function recreate(broker: EmbeddedBroker, partitions = 1): Promise<void> {
  await using admin = new Admin({ bootstrapServers: broker.bootstrapServers })
  await admin.deleteTopics([TOPIC])
  broker.createTopic(TOPIC, partitions)
}

/** A source in a loop over records. */
function reading(broker: EmbeddedBroker, options: Partial<KafkaSourceOptions>) {
  const { bootstrapServers } = broker
  const source = new KafkaSource({ bootstrapServers, topics: TOPIC, groupId: 'g', ...options })
  const seen: string[] = []
  const loop = async (): Promise<void> => {
    for await (const { value } of source) seen.push(String(value))
  }
  const ended = loop().then(
    () => undefined,
    (error: { code?: string }) => error.code,
  )
  return { source, seen, ended }
}

const offsetOf = (broker: EmbeddedBroker): bigint | undefined => broker.groups()[0]!.offsets[0]?.offset

describe.each(['classic', 'consumer'] as const)(
  'a topic that is created again, in a group of the %s protocol',
  (groupProtocol) => {
    test('is read from its beginning by the next run', async () => {
      await using broker = await startBroker({ topics: { [TOPIC]: 1 } })
      await write(broker, 'old', 100)
      const { source, seen, ended } = reading(broker, { groupProtocol })
      await expect.poll(() => seen.length).toBe(100)
      await recreate(broker)
      await write(broker, 'new', 200)
      // A group of the consumer protocol may learn of the new topic before anything is fetched of it.
      let isOver = false
      const code = ended.finally(() => (isOver = true))
      await expect.poll(() => isOver || seen.length === 300).toBe(true)
      await source.close()
      expect(await code).toBeOneOf([undefined, 'OFFSET_OUT_OF_RANGE'])
      const next = reading(broker, { groupProtocol, untilEnd: true })
      await next.ended
      expect([...new Set([...seen.slice(100), ...next.seen])]).toEqual(
        Array.from({ length: 200 }, (_, i) => `new ${i}`),
      )
      await next.source.close()
    })

    test('has its own offsets committed after a reset', async () => {
      await using broker = await startBroker({ topics: { [TOPIC]: 1 } })
      await write(broker, 'old', 100)
      const { source, seen, ended } = reading(broker, {
        groupProtocol,
        offsetOutOfRange: 'reset',
        autoCommitIntervalMs: 50,
      })
      await expect.poll(() => seen.length).toBe(100)
      await recreate(broker)
      await write(broker, 'new', 200)
      await expect.poll(() => seen.length).toBe(300)
      await expect.poll(() => offsetOf(broker)).toBe(200n)
      await source.close()
      expect(await ended).toBe(undefined)
    })
  },
)

test('an offset of the old topic that a program commits is refused', async () => {
  await using broker = await startBroker({ topics: { [TOPIC]: 1 } })
  await write(broker, 'old', 100)
  await using source = new KafkaSource({
    bootstrapServers: broker.bootstrapServers,
    topics: TOPIC,
    groupId: 'g',
    commit: { strategy: 'manual' },
  })
  for await (const batch of source.batches()) {
    batch.ack()
    if (batch.nextOffset === 100n) break
  }
  await recreate(broker)
  await expect(source.commit()).rejects.toMatchObject({ code: 'COMMIT_REFUSED', topic: TOPIC })
  expect(broker.groups()[0]!.offsets).toEqual([])
})

// It was committed for the new topic, whose next reader passed over as many records.
test('an offset of the old topic that a program names is refused after a reset to the new one', async () => {
  await using broker = await startBroker({ topics: { [TOPIC]: 1 } })
  await write(broker, 'old', 100)
  const { source, seen, ended } = reading(broker, { commit: { strategy: 'manual' }, offsetOutOfRange: 'reset' })
  await expect.poll(() => seen.length).toBe(100)
  await recreate(broker)
  await write(broker, 'new', 50)
  await expect.poll(() => seen.length).toBe(150)
  const place = { topic: TOPIC, partition: 0 }
  const refused = { code: 'COMMIT_REFUSED', topic: TOPIC, partition: 0 }
  await expect(source.commitOffsets([{ ...place, offset: 100 }])).rejects.toMatchObject(refused)
  expect(offsetOf(broker)).toBe(undefined)
  await source.commitOffsets([{ ...place, offset: 50 }])
  expect(offsetOf(broker)).toBe(50n)
  await source.close()
  expect(await ended).toBe(undefined)
})

// The end of the new log is where reading goes on, beyond what was read of the old one.
test('a reset to a later offset counts for the new topic', async () => {
  await using broker = await startBroker({ topics: { [TOPIC]: 1 } })
  await write(broker, 'old', 100)
  const { source, seen, ended } = reading(broker, {
    offsetOutOfRange: 'reset',
    autoOffsetReset: 'latest',
    autoCommitIntervalMs: 50,
  })
  await expect.poll(() => offsetOf(broker)).toBe(100n)
  const held = broker.on('Fetch').hold()
  await held.entered
  await recreate(broker)
  await write(broker, 'new', 200)
  held.release()
  broker.clearFaults()
  await expect.poll(() => offsetOf(broker)).toBe(200n)
  await write(broker, 'newer', 1)
  await expect.poll(() => seen).toEqual(['newer 0'])
  await expect.poll(() => offsetOf(broker)).toBe(201n)
  await source.close()
  expect(await ended).toBe(undefined)
})

// Reading ended with an error although it was to continue: the beginning of a partition that is not there cannot be found.
describe.each([
  { name: 'without a group', options: {} },
  { name: 'in a classic group', options: { groupId: 'g', heartbeatIntervalMs: 50 } },
])('a topic that is created again with fewer partitions, $name', ({ options: grouping }) => {
  const options = { autoOffsetReset: 'earliest', metadataMaxAgeMs: 300, ...grouping } as const

  async function readRecreated(broker: EmbeddedBroker) {
    await write(broker, 'old', 100)
    const warnings: string[] = []
    const run = reading(broker, {
      ...options,
      offsetOutOfRange: 'reset',
      onWarning: (text: string) => warnings.push(text),
    })
    await expect.poll(() => run.seen.length).toBe(100)
    await recreate(broker)
    return { ...run, warnings }
  }

  test('is read on, without those that are gone, and with those that come again', async () => {
    await using broker = await startBroker({ topics: { [TOPIC]: 3 } })
    const { source, seen, ended, warnings } = await readRecreated(broker)
    await write(broker, 'new', 50)
    await expect.poll(() => seen.length).toBe(150)
    const partitions = async () => (await source.assignment()).map(({ partition }) => partition)
    await expect.poll(partitions, { timeout: 5000 }).toEqual([0])
    // A group may take it back before anything is fetched of it.
    const isReported = warnings.some((text) => text.includes('Partition 2 of topic "numbers" does not exist any more'))
    expect(isReported || 'groupId' in grouping).toBe(true)
    await using admin = new Admin({ bootstrapServers: broker.bootstrapServers })
    await admin.createPartitions(TOPIC, 3)
    await write(broker, 'newer', 50)
    await expect.poll(() => seen.length, { timeout: 5000 }).toBe(200)
    await source.close()
    expect(await ended).toBe(undefined)
  })
})

// It was told that the offsets of a partition that does not exist cannot be listed.
test('a partition that is gone is an offset out of range, where that is to fail', async () => {
  await using broker = await startBroker({ topics: { [TOPIC]: 2 } })
  await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: TOPIC })
  await sink.write([{ value: 'old', partition: 1 }])
  const { source, seen, ended } = reading(broker, {
    groupId: undefined,
    topics: undefined,
    partitions: [{ topic: TOPIC, partition: 1 }],
    autoOffsetReset: 'earliest',
  } as never)
  await expect.poll(() => seen.length).toBe(1)
  await recreate(broker)
  expect(await ended).toBe('OFFSET_OUT_OF_RANGE')
  await source.close()
})

// The committed offset was taken for one of the new topic, whose first records were passed over. It takes a partition without a committed
// offset, for which the leader is asked, and asked again as the topic is gone.
test.each(['classic', 'consumer'] as const)(
  'a committed offset is not one of a topic that is created again while reading begins (%s)',
  async (groupProtocol) => {
    await using broker = await startBroker({ topics: { [TOPIC]: 2 } })
    const { bootstrapServers } = broker
    const writeTo = async (partition: number, name: string, count: number): Promise<void> => {
      await using sink = new KafkaSink({ bootstrapServers, topic: TOPIC })
      await sink.write(Array.from({ length: count }, (_, i) => ({ value: `${name} ${i}`, partition })))
    }
    await writeTo(0, 'old', 100)
    await using admin = new Admin({ bootstrapServers })
    await admin.resetOffsets('g', { partitions: [{ topic: TOPIC, partition: 0 }], to: 'latest' })
    const offsetFetch = broker.on('OffsetFetch').once().hold()
    const run = reading(broker, { groupProtocol, offsetOutOfRange: 'reset', autoOffsetReset: 'earliest' })
    await offsetFetch.entered
    broker.on('ListOffsets').once().fail('UNKNOWN_TOPIC_OR_PARTITION')
    const metadata = broker.on('Metadata').once().hold()
    offsetFetch.release()
    await metadata.entered
    await recreate(broker, 2)
    await writeTo(0, 'new', 200)
    metadata.release()
    await expect.poll(() => run.seen.length).toBe(200)
    expect(run.seen[0]).toBe('new 0')
    await run.source.close()
    expect(await run.ended).toBe(undefined)
  },
)

// The broker did not know the topic, so its offset was sent again and again, until it was taken for the new one.
test('a transaction does not commit an offset of the old topic for the new one', async () => {
  await using broker = await startBroker({ topics: { [TOPIC]: 1, copies: 1 } })
  const { bootstrapServers } = broker
  await write(broker, 'old', 100)
  const source = new KafkaSource({
    bootstrapServers,
    topics: TOPIC,
    groupId: 'g',
    autoOffsetReset: 'earliest',
    fetchMaxWaitMs: 50,
  })
  const sink = new KafkaSink({ bootstrapServers, topic: 'copies', transactionalId: 'copy' })
  const asked = broker.on('TxnOffsetCommit').once().hold()
  const running = exactlyOnce(source, sink, () => {}, { commitIntervalMs: 10 }).then(
    () => undefined,
    (error: { code?: string }) => error.code,
  )
  await asked.entered
  // So that reading does not find out before.
  const fetches = broker.on('Fetch').hold()
  await fetches.entered
  await using admin = new Admin({ bootstrapServers })
  await admin.deleteTopics([TOPIC])
  const again = broker.on('TxnOffsetCommit').once().hold()
  asked.release()
  const isNext = (): boolean =>
    broker.requests().filter(({ api }) => api === 'TxnOffsetCommit').length === 2 ||
    broker.requests().some(({ api }) => api === 'EndTxn')
  await expect.poll(isNext).toBe(true)
  broker.createTopic(TOPIC, 1)
  await write(broker, 'new', 200)
  again.release()
  fetches.release()
  expect(await running).toBeOneOf(['OFFSET_OUT_OF_RANGE', 'TOPIC_NOT_FOUND'])
  await source.close()
  await sink.close()
  expect(broker.groups()[0]!.offsets).toEqual([])
})

// After five looks its partitions were left out, and nothing looked again: they were never read.
test('a topic of an assignment that no broker knows yet is read as soon as one does', async () => {
  await using broker = await startBroker({ topics: { [TOPIC]: 1, other: 1 }, groups: { heartbeatIntervalMs: 100 } })
  const { source, seen, ended } = reading(broker, {
    groupProtocol: 'consumer',
    autoOffsetReset: 'earliest',
    retryBackoffMs: 1,
  })
  await expect.poll(() => source.assignment()).toHaveLength(1)
  // So that only the group finds out.
  const fetches = broker.on('Fetch').hold()
  await fetches.entered
  broker.on('Metadata').fail('UNKNOWN_TOPIC_OR_PARTITION')
  const asked = (): number => broker.requests().filter(({ api }) => api === 'Metadata').length
  const before = asked()
  await recreate(broker)
  await expect.poll(() => source.assignment()).toHaveLength(0)
  await expect.poll(() => asked() - before).toBeGreaterThanOrEqual(6)
  broker.clearFaults()
  fetches.release()
  await write(broker, 'new', 10)
  await expect.poll(() => seen.length, { timeout: 5000 }).toBe(10)
  await source.close()
  expect(await ended).toBe(undefined)
})

// It waited a minute for records that no longer existed, and blamed a transaction.
test.each(['classic', 'consumer'] as const)(
  'a bounded run ends where the log does that has become shorter, in a group of the %s protocol',
  async (groupProtocol) => {
    await using broker = await startBroker({ topics: { [TOPIC]: 1 } })
    await write(broker, 'old', 100)
    const warnings: string[] = []
    const { source, seen, ended } = reading(broker, {
      groupProtocol,
      untilEnd: true,
      offsetOutOfRange: 'reset',
      onAssigned: (partitions, { pause }) => pause(partitions),
      onWarning: (text) => warnings.push(text),
    })
    const place = { topic: TOPIC, partition: 0 }
    await expect.poll(() => source.assignment()).toEqual([place])
    await recreate(broker)
    await write(broker, 'new', 50)
    source.resume([place])
    const began = performance.now()
    expect(await ended).toBe(undefined)
    expect(performance.now() - began).toBeLessThan(20_000)
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => `new ${i}`))
    expect(warnings.filter((text) => text.includes('transaction'))).toEqual([])
    expect(warnings.filter((text) => text.includes('ends at offset 50 now, and ended at 100'))).toHaveLength(1)
    await source.close()
  },
)
