import { describe, expect, test } from 'vitest'
import { KafkaSource, type KafkaSourceOptions } from '../../../src/index.ts'
import { commitOnce, fetchCommitted } from '../../../src/kafka/group/committed-offsets.ts'
import { GroupCoordinator } from '../../../src/kafka/group/coordinator.ts'
import { brokerAvailable, ownBroker, uniqueName } from '../../support/broker.ts'
import { numbered } from '../../support/numbered.ts'
import { topicBed } from '../../support/topics.ts'

describe.skipIf(!brokerAvailable)('a consumer whose leader changes', () => {
  const kafka = ownBroker()
  const bed = topicBed(() => kafka().bootstrapServers)

  function sourceOf(topics: string, options: Partial<KafkaSourceOptions>): KafkaSource {
    return new KafkaSource({ bootstrapServers: kafka().bootstrapServers, topics, ...options })
  }

  /** As an election does. */
  async function nextEpoch(topic: string): Promise<void> {
    const epoch = async (): Promise<number> => {
      await bed().cluster.refresh([topic])
      return bed().cluster.leaderEpoch(topic, 0)
    }
    const before = await epoch()
    await kafka().brokers[0]!.restart()
    await expect.poll(() => epoch().catch(() => before), { timeout: 60_000 }).toBeGreaterThan(before)
  }

  // With a consumer that knew no epochs, what other records had taken the place of was passed over without a word.
  test('notices that records it had read before were replaced', async () => {
    const topic = await bed().create()
    await bed().write(topic, numbered(10))
    await nextEpoch(topic)
    await bed().write(topic, numbered(90))
    const groupId = uniqueName('group')
    const coordinator = new GroupCoordinator(bed().cluster, groupId)
    // A member that read 50 records of the first leader, of which the second knows 10.
    const offset = { topic, partition: 0, offset: 50, leaderEpoch: 0 }
    await expect
      .poll(
        async () => commitOnce(coordinator, { memberId: '', generation: -1, isEpoch: false }, [offset]).catch(() => []),
        {
          timeout: 60_000,
        },
      )
      .toEqual([0])
    const options = { groupId, untilEnd: true, autoOffsetReset: 'earliest' } as const
    const failing = sourceOf(topic, options)
    await expect(Array.fromAsync(failing)).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringContaining('from offset 10 on are not those that were read up to 50'),
    })
    await failing.close()
    const warnings: string[] = []
    await using source = sourceOf(topic, {
      ...options,
      offsetOutOfRange: 'reset',
      onWarning: (message: string) => warnings.push(message),
    })
    const read = await Array.fromAsync(source, ({ offset }) => Number(offset))
    expect(read).toEqual(Array.from({ length: 90 }, (_, n) => n + 10))
    expect(warnings).toEqual([expect.stringContaining('reading continues at 10')])
    await source.close()
    expect(await fetchCommitted(coordinator, undefined, () => undefined)).toMatchObject([
      { offset: 100, leaderEpoch: bed().cluster.leaderEpoch(topic, 0) },
    ])
  })

  // Runs were alive for ten minutes with a lag of 0 and without a warning.
  test('says that a broker is down, that its lag is unknown, and when it is back', async () => {
    const topic = await bed().create()
    await bed().write(topic, numbered(10))
    const warnings: string[] = []
    await using source = sourceOf(topic, {
      autoOffsetReset: 'earliest',
      onWarning: (message: string) => warnings.push(message),
    })
    const stop = new AbortController()
    const reading = (async () => {
      for await (const batch of source.batches(stop.signal)) batch.ack()
    })()
    const lag = async (): Promise<number | undefined> => (await source.progress())?.lag
    await expect.poll(lag).toBe(0)
    await kafka().brokers[0]!.kill()
    await expect.poll(() => warnings, { timeout: 20_000 }).toHaveLength(1)
    expect(warnings[0]).toMatch(/^No broker answers for \d+ s, so that partition 0 of topic /)
    expect(warnings[0]).toContain(`"${topic}" cannot be read: `)
    expect(warnings[0]).toContain(kafka().bootstrapServers)
    expect(await lag()).toBe(undefined)
    await kafka().brokers[0]!.restart()
    await expect.poll(() => warnings, { timeout: 60_000 }).toHaveLength(2)
    expect(warnings[1]).toMatch(/^All partitions are read again, after \d+ s$/)
    await expect.poll(lag).toBe(0)
    stop.abort()
    await reading
  })
})
