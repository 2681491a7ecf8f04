/** `exactlyOnce` where a rebalance and an abort meet. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { exactlyOnce, KafkaSink, KafkaSource } from '../../src/index.ts'

const HEARTBEAT_MS = 50

// Partitions that were being given back kept what was acknowledged in the aborted transaction. The next one committed their offsets without
// the records.
test.each(['range', 'cooperative-sticky'] as const)(
  'a transaction that is aborted while partitions are given back commits nothing of them afterwards (%s)',
  async (assignor) => {
    await using kafka = await startBroker({ topics: { input: 2, output: 1 } })
    const { bootstrapServers } = kafka
    const values = Array.from({ length: 40 }, (_, i) => `${i}`)
    {
      await using sink = new KafkaSink({ bootstrapServers, topic: 'input' })
      await sink.write(values.map((value, i) => ({ value, partition: i % 2 })))
    }
    const member = (): KafkaSource =>
      new KafkaSource({
        bootstrapServers,
        topics: 'input',
        groupId: 'g',
        autoOffsetReset: 'earliest',
        heartbeatIntervalMs: HEARTBEAT_MS,
        maxPollRecords: 5,
        'partition.assignment.strategy': assignor,
      })
    await using source = member()
    await using sink = new KafkaSink({ bootstrapServers, topic: 'output', transactionalId: 'tx' })
    const stop = new AbortController()
    let batches = 0
    const run = exactlyOnce(
      source,
      sink,
      async (batch, transaction) => {
        if (++batches === 3) {
          const other = member()
          const joined = other.open()
          joined.catch(() => {})
          // Until the heartbeats of this member have said that the group rebalances.
          await sleep(6 * HEARTBEAT_MS)
          kafka.on('Produce').topic('output').once().fail('TRANSACTION_ABORTABLE')
          setTimeout(() => void other.close(), 4 * HEARTBEAT_MS)
        }
        const rows = Array.from({ length: batch.length }, (_, row) => ({ value: String(batch.value(row)) }))
        await transaction.write(rows)
      },
      { signal: stop.signal, commitIntervalMs: 2000 },
    )
    const written = async (): Promise<string[]> =>
      (await kafka.topic('output').records()).map(({ value }) => String(value))
    await expect.poll(async () => new Set(await written()).size, { timeout: 10_000, interval: 100 }).toBe(values.length)
    stop.abort()
    await run
    expect((await written()).toSorted()).toEqual(values.toSorted())
  },
)
