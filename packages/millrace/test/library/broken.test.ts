/**
 * An exception in an answer, a timer or a callback of the reading side that nothing waits for would end the process. Each has an owner: it
 * ends the loop with an error that says so, or what it is about is tried again (K5). The same for the fetcher is in
 * ../kafka/consumer/broken.test.ts, and for the producer in ../kafka/producer/broken.test.ts.
 */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { startBroker, type EmbeddedBroker } from '../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../src/index.ts'
import { Cluster } from '../../src/kafka/cluster/cluster.ts'
import { RecordLoop } from '../../src/library/record-loop.ts'
import { PartitionWork } from '../../src/library/work/partition-work.ts'
import type { ApiName } from '../../src/protocol/api-index.ts'
import { unhandledErrors } from '../support/unhandled.ts'

const unhandled = unhandledErrors()
afterEach(() => {
  vi.restoreAllMocks()
})

const explode = (): never => {
  throw new TypeError('injected')
}

/** What answers of an API become while it is armed: objects that nothing can be read of. */
function answersExplode(api: ApiName): { arm: () => void } {
  let isArmed = false
  const request = Object.getOwnPropertyDescriptor(Cluster.prototype, 'request')!.value as Cluster['request']
  vi.spyOn(Cluster.prototype, 'request').mockImplementation(async function (this: Cluster, ...given) {
    const answer = await Reflect.apply(request, this, given)
    if (!isArmed || given[1].name !== api) return answer
    return new Proxy({}, { get: (_, name) => (name === 'then' ? undefined : explode()) })
  })
  return { arm: () => void (isArmed = true) }
}

interface Reading {
  readonly broker: EmbeddedBroker
  readonly source: KafkaSource
  /** The error that the loop ended with; undefined when it ended without. */
  readonly ended: Promise<{ readonly code?: string; readonly message: string } | undefined>
  readonly read: () => number
  readonly write: () => Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A loop over records that has read the first record. */
async function reading(options: { readonly [name: string]: unknown } = {}): Promise<Reading> {
  const broker = await startBroker({
    nodes: 2,
    topics: { numbers: 2 },
    groups: { minSessionTimeoutMs: 100, heartbeatIntervalMs: 50 },
  })
  const { bootstrapServers } = broker
  const write = async (): Promise<void> => {
    await using sink = new KafkaSink({ bootstrapServers, topic: 'numbers' })
    await sink.write([0, 1].map((partition) => ({ value: 'v', partition })))
  }
  await write()
  let read = 0
  const begun = Promise.withResolvers<void>()
  const source = new KafkaSource({
    bootstrapServers,
    topics: 'numbers',
    groupId: 'g',
    autoOffsetReset: 'earliest',
    autoCommitIntervalMs: 50,
    metadataMaxAgeMs: 100,
    ...options,
  })
  const loop = async (): Promise<void> => {
    for await (const _ of source) if (++read === 1) begun.resolve()
  }
  const ended = loop().then(
    () => undefined,
    (error: { readonly code?: string; readonly message: string }) => error,
  )
  await begun.promise
  const dispose = async (): Promise<void> => {
    await source.close().catch(() => {})
    await ended
    await broker.close()
  }
  return { broker, source, ended, read: () => read, write, [Symbol.asyncDispose]: dispose }
}

const CLASSIC = { sessionTimeoutMs: 1000, heartbeatIntervalMs: 50 }
const CONSUMER = { groupProtocol: 'consumer' }

const joinAgain = ({ broker }: Reading): void => broker.on('Heartbeat').once().fail('REBALANCE_IN_PROGRESS')
const fence = ({ broker }: Reading): void => broker.on('ConsumerGroupHeartbeat').once().fail('FENCED_MEMBER_EPOCH')
const moveLeader = ({ broker }: Reading): void => {
  for (const partition of [0, 1]) for (const node of [0, 1, 0]) broker.moveLeader('numbers', partition, node)
}
const nothing = (): void => {}

describe('an answer that cannot be read ends a loop with an error', () => {
  test.each<{ api: ApiName; options: { readonly [name: string]: unknown }; cause: (reading: Reading) => void }>([
    { api: 'Heartbeat', options: CLASSIC, cause: nothing },
    { api: 'JoinGroup', options: CLASSIC, cause: joinAgain },
    { api: 'SyncGroup', options: CLASSIC, cause: joinAgain },
    { api: 'OffsetFetch', options: CLASSIC, cause: joinAgain },
    { api: 'ConsumerGroupHeartbeat', options: CONSUMER, cause: nothing },
    { api: 'OffsetFetch', options: CONSUMER, cause: fence },
    { api: 'Fetch', options: CLASSIC, cause: nothing },
    { api: 'OffsetForLeaderEpoch', options: CLASSIC, cause: moveLeader },
    { api: 'OffsetCommit', options: CLASSIC, cause: nothing },
  ])('$api', async ({ api, options, cause }) => {
    const answers = answersExplode(api)
    await using run = await reading(options)
    answers.arm()
    cause(run)
    if (api === 'Fetch' || api === 'OffsetCommit') await run.write()
    expect(await run.ended).toMatchObject({ code: 'UNEXPECTED' })
    expect(unhandled).toEqual([])
  })

  test('unless it is the answer to leaving the group, which nothing depends on', async () => {
    const answers = answersExplode('LeaveGroup')
    await using run = await reading(CLASSIC)
    answers.arm()
    await run.source.close()
    expect(await run.ended).toBeUndefined()
    expect(unhandled).toEqual([])
  })
})

describe('an exception in a timer ends a loop with an error', () => {
  test('in that of commits', async () => {
    await using run = await reading(CLASSIC)
    vi.spyOn(RecordLoop.prototype, 'settle').mockImplementation(explode)
    expect(await run.ended).toMatchObject({ code: 'UNEXPECTED' })
    expect(unhandled).toEqual([])
  })

  test('in that of the time that handlers have to finish', async () => {
    await using broker = await startBroker({ topics: { numbers: 1 } })
    const { bootstrapServers } = broker
    {
      await using sink = new KafkaSink({ bootstrapServers, topic: 'numbers' })
      await sink.write([{ value: 'v' }])
    }
    await using source = new KafkaSource({ bootstrapServers, topics: 'numbers', autoOffsetReset: 'earliest' })
    const stop = new AbortController()
    const released = Promise.withResolvers<void>()
    const processed = source.process(
      () => {
        vi.spyOn(PartitionWork.prototype, 'release').mockImplementation(() => {
          released.resolve()
          return explode()
        })
        stop.abort()
        return new Promise(() => {})
      },
      { signal: stop.signal, drainTimeoutMs: 50 },
    )
    const failed = expect(processed).rejects.toMatchObject({ code: 'UNEXPECTED', message: 'Processing records failed' })
    await released.promise
    vi.restoreAllMocks()
    await source.close()
    await failed
    expect(unhandled).toEqual([])
  })

  test('in that of the look for new partitions', async () => {
    await using run = await reading(CLASSIC)
    vi.spyOn(Cluster.prototype, 'refresh').mockRejectedValue(new TypeError('injected'))
    expect(await run.ended).toMatchObject({ code: 'UNEXPECTED', message: 'Looking for new partitions failed' })
    expect(unhandled).toEqual([])
  })
})
