/** Bodies of loops and handlers that take longer than the session of their member. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startBroker, type EmbeddedBroker } from '../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../src/index.ts'

const RECORDS = 4
const SESSION_MS = 3000
const LOST = 'Partitions were lost because the group removed this member. Uncommitted records will be read again'

type Body = (offset: number) => Promise<void>

const KINDS: { readonly [kind: string]: (source: KafkaSource, body: Body) => Promise<void> } = {
  batches: async (source, body) => {
    for await (const batch of source.batches()) {
      await body(Number(batch.firstOffset))
      batch.ack()
    }
  },
  records: async (source, body) => {
    for await (const { offset } of source) await body(Number(offset))
  },
  process: (source, body) => source.process(({ offset }) => body(Number(offset))),
}

const PROTOCOLS = {
  classic: { options: { sessionTimeoutMs: SESSION_MS, heartbeatIntervalMs: 100 }, heartbeat: 'Heartbeat' },
  consumer: { options: { groupProtocol: 'consumer' }, heartbeat: 'ConsumerGroupHeartbeat' },
} as const

const CASES = Object.keys(PROTOCOLS).flatMap((protocol) =>
  Object.keys(KINDS).map((kind) => ({ protocol: protocol as keyof typeof PROTOCOLS, kind })),
)

interface Outcome {
  readonly seen: readonly number[]
  readonly warnings: readonly string[]
  readonly committed: bigint | undefined
}

/** Reads all records one at a time. @param body gets the warnings so far */
async function read(
  broker: EmbeddedBroker,
  { protocol, kind }: (typeof CASES)[number],
  body: (offset: number, warnings: readonly string[]) => Promise<void>,
): Promise<Outcome> {
  const { bootstrapServers } = broker
  const name = `${protocol}-${kind}`
  broker.createTopic(name)
  {
    await using sink = new KafkaSink({ bootstrapServers, topic: name })
    for (let i = 0; i < RECORDS; i++) await sink.write([{ value: String(i) }])
  }
  const warnings: string[] = []
  await using source = new KafkaSource({
    bootstrapServers,
    topics: name,
    groupId: name,
    autoOffsetReset: 'earliest',
    maxPollRecords: 1,
    onWarning: (message) => warnings.push(message),
    ...PROTOCOLS[protocol].options,
  })
  const seen: number[] = []
  const done = Promise.withResolvers<void>()
  const reading = KINDS[kind]!(source, async (offset) => {
    seen.push(offset)
    await body(offset, warnings)
    if (offset === RECORDS - 1) done.resolve()
  })
  await done.promise
  // Its last record counts when the body has returned.
  await expect.poll(async () => (await source.lag())[0]?.lag).toBe(0n)
  await sleep(50)
  await source.close()
  await reading
  const committed = broker.groups().find(({ id }) => id === name)?.offsets[0]?.offset
  return { seen, warnings, committed }
}

test('a body that waits for longer than the session keeps its partitions, with batches, records and process in both protocols', async () => {
  await using broker = await startBroker({
    groups: { minSessionTimeoutMs: 100, sessionTimeoutMs: SESSION_MS, heartbeatIntervalMs: 100 },
  })
  const outcomes = await Promise.all(
    CASES.map((each) => read(broker, each, async (offset) => void (offset === 1 && (await sleep(2 * SESSION_MS))))),
  )
  for (const outcome of outcomes) expect(outcome).toEqual({ seen: [0, 1, 2, 3], warnings: [], committed: 4n })
})

describe('a body in which the group removes the member', () => {
  test.each(CASES)('says so, and no record is lost: $kind, $protocol', async (each) => {
    await using broker = await startBroker({
      groups: { minSessionTimeoutMs: 100, sessionTimeoutMs: SESSION_MS, heartbeatIntervalMs: 50 },
    })
    let isRemoved = false
    const { seen, warnings, committed } = await read(broker, each, async (offset, said) => {
      if (offset !== 1 || isRemoved) return
      isRemoved = true
      broker.on(PROTOCOLS[each.protocol].heartbeat).once().fail('UNKNOWN_MEMBER_ID')
      await expect.poll(() => said).toContain(LOST)
    })
    expect(warnings.filter((message) => message !== LOST)).toEqual([])
    expect(new Set(seen)).toEqual(new Set([0, 1, 2, 3]))
    expect(seen.filter((offset) => offset === 1)).toHaveLength(2)
    expect(committed).toBe(4n)
  })
})
