/** What a consumer waits for comes to an end, whatever happens meanwhile. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { Admin, KafkaSink, KafkaSource, type KafkaSourceOptions } from '../../../src/index.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const GROUPS = { minSessionTimeoutMs: 100, heartbeatIntervalMs: 50 }

async function write(broker: EmbeddedBroker, topic: string, value: string, partition = 0): Promise<void> {
  await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic })
  await sink.write([{ value, partition }])
}

/** A source in a loop over records. */
function reading(broker: EmbeddedBroker, options: Partial<KafkaSourceOptions>) {
  const { bootstrapServers } = broker
  const source = new KafkaSource({ bootstrapServers, topics: 'numbers', ...options })
  const seen: string[] = []
  const loop = async (): Promise<void> => {
    for await (const { value } of source) seen.push(String(value))
  }
  const ended = loop().then(
    () => 'ended',
    (error: Error) => error.message,
  )
  return { source, seen, ended }
}

describe('a bounded run', () => {
  /** A member at its end, which asks the group whether there is more, while another one has the other partition. */
  async function asking<Run>(
    broker: EmbeddedBroker,
    start: (options: { readonly groupId: string; readonly untilEnd: true }) => Run,
  ) {
    // So that nothing else waits on the connection on which the answer is awaited.
    broker.moveCoordinator({ group: 'g' }, 1)
    for (const partition of [0, 1]) broker.moveLeader('numbers', partition, 0)
    await write(broker, 'numbers', 'a', 0)
    await write(broker, 'numbers', 'b', 1)
    const other = reading(broker, { groupId: 'g' })
    await expect.poll(() => other.seen.length).toBe(2)
    const held = broker.on('ConsumerGroupDescribe').hold()
    const run = start({ groupId: 'g', untilEnd: true })
    await held.entered
    return { other, held, run }
  }

  // The rebalance was over before the question was answered, and nothing else woke the run: it waited for ever.
  test('ends when the group has rebalanced while it was asked', async () => {
    await using broker = await startBroker({ nodes: 2, topics: { numbers: 2 }, groups: GROUPS })
    const { other, held, run } = await asking(broker, (options) => reading(broker, options))
    const group = () => broker.groups()[0]!
    const before = group().generationId
    broker.on('Heartbeat').once().fail('REBALANCE_IN_PROGRESS')
    await expect.poll(() => group().generationId > before && group().state).toBe('Stable')
    await expect
      .poll(() => run.source.status())
      .toMatchObject({ isRebalancing: false, partitions: [{ state: 'at-end' }] })
    held.release()
    broker.clearFaults()
    expect(await run.ended).toBe('ended')
    await run.source.close()
    await other.source.close()
  })

  // It waited for the answer, for as long as the coordinator may take.
  test('ends when it is stopped while the group is asked', async () => {
    await using broker = await startBroker({ nodes: 2, topics: { numbers: 2 }, groups: GROUPS })
    const stop = new AbortController()
    const { other, held, run } = await asking(broker, (options) => {
      const { bootstrapServers } = broker
      const source = new KafkaSource({ bootstrapServers, topics: 'numbers', requestTimeoutMs: 300_000, ...options })
      return { source, read: Array.fromAsync(source.batches(stop.signal)) }
    })
    stop.abort()
    await run.read
    held.release()
    await run.source.close()
    await other.source.close()
  })
})

// It was taken for one that is read, and never was, without a word.
test('a new partition whose beginning cannot be found is looked for again', async () => {
  await using broker = await startBroker({ topics: { numbers: 1 } })
  await write(broker, 'numbers', 'a')
  const { source, seen, ended } = reading(broker, {
    metadataMaxAgeMs: 50,
    apiTimeoutMs: 200,
    requestTimeoutMs: 150,
    fetchMaxWaitMs: 100,
  })
  await expect.poll(() => seen).toEqual(['a'])
  broker.on('ListOffsets').fail('LEADER_NOT_AVAILABLE')
  const asked = (): number => broker.requests().filter(({ api }) => api === 'ListOffsets').length
  const before = asked()
  await using admin = new Admin({ bootstrapServers: broker.bootstrapServers })
  await admin.createPartitions('numbers', 2)
  await write(broker, 'numbers', 'b', 1)
  await expect.poll(asked).toBeGreaterThan(before)
  // Longer than apiTimeoutMs, after which that attempt is given up.
  await new Promise((resolve) => setTimeout(resolve, 600))
  broker.clearFaults()
  await expect.poll(() => seen).toEqual(['a', 'b'])
  await source.close()
  expect(await ended).toBe('ended')
})

// It ended the source.
test('a topic that matches a pattern may be deleted before its beginning is found', async () => {
  await using broker = await startBroker({ topics: { a1: 1 }, autoCreateTopics: false, groups: GROUPS })
  const options = { topics: [/^a/], groupId: 'g', metadataMaxAgeMs: 50, heartbeatIntervalMs: 50 } as const
  const { source, seen, ended } = reading(broker, options)
  await write(broker, 'a1', 'a')
  await expect.poll(() => seen).toEqual(['a'])
  const held = broker.on('ListOffsets').topic('a2').hold()
  broker.createTopic('a2', 1)
  await held.entered
  await using admin = new Admin({ bootstrapServers: broker.bootstrapServers })
  await admin.deleteTopics(['a2'])
  held.release()
  await write(broker, 'a1', 'b')
  await expect.poll(() => seen).toContain('b')
  await source.close()
  expect(await ended).toBe('ended')
})

// They waited for the metadata that the leader of a group asks for every now and then, and the session ended.
test('heartbeats go on while metadata is waited for', async () => {
  await using broker = await startBroker({ topics: { numbers: 1 }, groups: GROUPS })
  await write(broker, 'numbers', 'a')
  const { source, seen } = reading(broker, { groupId: 'g', heartbeatIntervalMs: 50, metadataMaxAgeMs: 100 })
  await expect.poll(() => seen).toEqual(['a'])
  const held = broker.on('Metadata').hold()
  await held.entered
  const heartbeats = (): number => broker.requests().filter(({ api }) => api === 'Heartbeat').length
  const before = heartbeats()
  await expect.poll(heartbeats).toBeGreaterThan(before + 10)
  held.release()
  await source.close()
})

// It waited half a minute for a broker that does not answer, which is longer than its session.
test('a heartbeat that has to find the coordinator does not wait longer than others', async () => {
  await using broker = await startBroker({ nodes: 2, topics: { numbers: 1 }, groups: GROUPS })
  broker.moveCoordinator({ group: 'g' }, 0)
  await write(broker, 'numbers', 'a')
  const { source, seen } = reading(broker, { groupId: 'g', heartbeatIntervalMs: 50, sessionTimeoutMs: 1000 })
  await expect.poll(() => seen).toEqual(['a'])
  const held = broker.on('FindCoordinator').once().hold()
  broker.moveCoordinator({ group: 'g' }, 1)
  await held.entered
  const answered = (): number => broker.requests().filter(({ api, node }) => api === 'Heartbeat' && node === 1).length
  await expect.poll(answered).toBeGreaterThan(0)
  held.release()
  await source.close()
})

// Reading waited for it for ever, or ended as if it were empty.
test('a partition that is named and does not exist is an error', async () => {
  await using broker = await startBroker({ topics: { numbers: 2 } })
  const partitions = [{ topic: 'numbers', partition: 2 }]
  await using source = new KafkaSource({ bootstrapServers: broker.bootstrapServers, partitions })
  await expect(source.open()).rejects.toMatchObject({
    kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION',
    message: expect.stringContaining('Cannot read partition 2 of topic "numbers" as it has partitions 0 to 1'),
  })
})

// Each failed attempt left a timer behind.
test.each([{ groupId: 'g' }, {}])('a source that cannot be opened leaves no timer behind: %o', async (options) => {
  await using broker = await startBroker({ autoCreateTopics: false })
  const began = vi.spyOn(globalThis, 'setInterval')
  const ended = vi.spyOn(globalThis, 'clearInterval')
  await using source = new KafkaSource({ bootstrapServers: broker.bootstrapServers, topics: 'none', ...options })
  await expect(source.open()).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' })
  expect(began.mock.results.length).toBeGreaterThan(0)
  const cleared = ended.mock.calls.map(([timer]) => timer)
  for (const { value } of began.mock.results) expect(cleared).toContain(value)
})

describe('poll', () => {
  // It waited until the group had settled.
  test('returns in time while the group is joined', async () => {
    await using broker = await startBroker({ topics: { numbers: 1 }, groups: GROUPS })
    await write(broker, 'numbers', 'a')
    await using source = new KafkaSource({ bootstrapServers: broker.bootstrapServers, topics: 'numbers', groupId: 'g' })
    const held = broker.on('JoinGroup').hold()
    expect(await source.poll({ timeoutMs: 50 })).toEqual([])
    expect(await source.poll({ timeoutMs: 50 })).toEqual([])
    held.release()
    const records = await source.poll({ timeoutMs: 60_000 })
    expect(records.map(({ value }) => String(value))).toEqual(['a'])
  })

  // It waited for what the program could not acknowledge meanwhile, for ever.
  test('returned what a checkpoint commits', async () => {
    await using broker = await startBroker({ topics: { numbers: 1 }, groups: GROUPS })
    await write(broker, 'numbers', 'a')
    await using source = new KafkaSource({
      bootstrapServers: broker.bootstrapServers,
      topics: 'numbers',
      groupId: 'g',
      commit: { strategy: 'on_checkpoint' },
    })
    expect(await source.poll({ timeoutMs: 60_000 })).toHaveLength(1)
    await source.checkpoint()
    expect(broker.groups()[0]!.offsets).toMatchObject([{ offset: 1n }])
  })
})

describe('process', () => {
  // It waited for its own record, for ever.
  test('a checkpoint in a handler commits what is done, and does not wait for its own record', async () => {
    await using broker = await startBroker({ topics: { numbers: 1 }, groups: GROUPS })
    for (const value of ['a', 'b', 'c']) await write(broker, 'numbers', value)
    await using source = new KafkaSource({
      bootstrapServers: broker.bootstrapServers,
      topics: 'numbers',
      groupId: 'g',
      untilEnd: true,
      commit: { strategy: 'on_checkpoint' },
    })
    const committed: (bigint | undefined)[] = []
    await source.process(async () => {
      await source.checkpoint()
      committed.push(broker.groups()[0]!.offsets[0]?.offset)
    })
    expect(committed).toEqual([undefined, 1n, 2n])
    await source.checkpoint()
    expect(broker.groups()[0]!.offsets).toMatchObject([{ offset: 3n }])
  })

  // A program could not ask the sources of retry topics to commit, so that each run handled everything in them again.
  test.each([{ commit: { strategy: 'manual' } } as const, { enableAutoCommit: false }])(
    'retry topics are committed although the program commits: %o',
    async (options) => {
      await using broker = await startBroker({ topics: { numbers: 1, 'numbers.retry.10ms': 1 }, groups: GROUPS })
      await write(broker, 'numbers', 'a')
      await using source = new KafkaSource({
        bootstrapServers: broker.bootstrapServers,
        topics: 'numbers',
        groupId: 'g',
        untilEnd: true,
        ...options,
      })
      await source.process(
        (_, { attempt }) => {
          if (attempt === 1) throw new Error('no')
        },
        { retry: { topics: ['numbers.retry.10ms'] } },
      )
      const group = broker.groups().find(({ id }) => id === 'g.numbers.retry.10ms')
      expect(group!.offsets).toMatchObject([{ offset: 1n }])
    },
  )
})
