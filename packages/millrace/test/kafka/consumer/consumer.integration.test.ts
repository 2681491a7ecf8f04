import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../../src/records/batch.ts'
import { KafkaSource, type KafkaSourceOptions } from '../../../src/index.ts'
import { fetchCommitted } from '../../../src/kafka/group/committed-offsets.ts'
import { GroupCoordinator } from '../../../src/kafka/group/coordinator.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../../support/broker.ts'
import { numbered } from '../../support/numbered.ts'
import { fromTopic, runHere, toTopic } from '../../support/pipelines.ts'
import { topicBed } from '../../support/topics.ts'

describe.skipIf(!brokerAvailable)('consumer', () => {
  const bed = topicBed()

  function sourceOf(topics: string, options: Partial<KafkaSourceOptions> = {}): KafkaSource {
    return new KafkaSource({ bootstrapServers: bootstrapServers(), topics, ...options })
  }

  async function committedOf(groupId: string): Promise<(number | undefined)[]> {
    const found = await fetchCommitted(new GroupCoordinator(bed().cluster, groupId), undefined, () => undefined)
    return found.map(({ offset }) => offset)
  }

  // Killed before it had committed anything, the next run began at the end of then: what had come in between was lost.
  describe('a group that starts at the end', () => {
    test('has committed that before it reads anything (I1)', { timeout: 60_000 }, async () => {
      const topic = await bed().create()
      await bed().write(topic, numbered(10))
      const groupId = uniqueName('group')
      await using source = sourceOf(topic, { groupId, autoOffsetReset: 'latest', autoCommitIntervalMs: 600_000 })
      await source.open()
      await expect.poll(() => committedOf(groupId), { timeout: 30_000 }).toEqual([10])
    })

    test('has committed that in a transaction under exactly_once (I5)', { timeout: 60_000 }, async () => {
      const [topic, output] = [await bed().create(), await bed().create()]
      await bed().write(topic, numbered(10))
      const groupId = uniqueName('group')
      const spec = {
        delivery: 'exactly_once',
        source: fromTopic(topic, { groupId, 'auto.offset.reset': 'latest' }),
        sink: toTopic(output),
      }
      const stop = new AbortController()
      const run = runHere(spec, { untilEnd: false, signal: stop.signal })
      await expect.poll(() => committedOf(groupId), { timeout: 30_000 }).toEqual([10])
      stop.abort()
      await run
    })

    test('commits nothing automatically where the program does', async () => {
      const topic = await bed().create()
      await bed().write(topic, numbered(10))
      const groupId = uniqueName('group')
      await using source = sourceOf(topic, { groupId, autoOffsetReset: 'latest', enableAutoCommit: false })
      await source.open()
      expect(await committedOf(groupId)).toEqual([])
      await source.commit()
      expect(await committedOf(groupId)).toEqual([10])
    })
  })

  // The place to go on was noted at once: the batches that had been fetched before came out of order then, and what was being
  // worked on counted as committed.
  test('delivers what it has before it continues behind what retention deleted', { timeout: 60_000 }, async () => {
    const topic = await bed().create()
    const groupId = uniqueName('group')
    await bed().write(topic, numbered(1000), { batchBytes: 1000 })
    await using source = sourceOf(topic, {
      groupId,
      offsetOutOfRange: 'reset',
      maxPartitionFetchBytes: 1000,
      enableAutoCommit: false,
    })
    const batches = source.batches()
    const next = async (): Promise<Batch> => (await batches.next()).value as Batch
    const first = await next()
    await bed().admin.deleteRecords([{ topic, partition: 0, offset: 900 }])
    const read = [first]
    while (read.at(-1)!.offset(read.at(-1)!.length - 1) < 999n) read.push(await next())
    const offsets = read.flatMap((batch) => Array.from({ length: batch.length }, (_, row) => Number(batch.offset(row))))
    const gap = offsets.findIndex((offset, i) => offset !== i)
    expect(gap).toBeGreaterThanOrEqual(first.length)
    expect(offsets).toEqual([
      ...Array.from({ length: gap }, (_, i) => i),
      ...Array.from({ length: 100 }, (_, i) => 900 + i),
    ])
    for (const batch of read.slice(1)) batch.ack()
    await source.commit()
    expect(await committedOf(groupId)).toEqual([])
    first.ack()
    await source.commit()
    expect(await committedOf(groupId)).toEqual([1000])
    await batches.return()
  })

  // While it had given its partitions back and waited for the others of its group, it had nothing left to read, and ended.
  test('a bounded run does not end because its partitions move in a rebalance', { timeout: 60_000 }, async () => {
    const topic = await bed().create({ partitions: 2 })
    await bed().write(topic, numbered(3000), { batchBytes: 1000 })
    const groupId = uniqueName('group')
    const member = { groupId, heartbeatIntervalMs: 100, maxPartitionFetchBytes: 1000 }
    await using source = sourceOf(topic, { ...member, untilEnd: true })
    const seen = new Set<string>()
    let visit: Promise<void> | undefined
    let batches = 0
    for await (const batch of source.batches()) {
      for (let row = 0; row < batch.length; row++) seen.add(batch.value(row)!.toString())
      batch.ack()
      visit ??= (async () => {
        await using other = sourceOf(topic, member)
        await other.open()
      })()
      // Asks for more now and then while the other one comes, but leaves something to be read after it has gone.
      if (batches++ < 30) await sleep(20)
      else if (batches === 31) {
        await visit
        await expect.poll(() => source.assignment(), { timeout: 30_000 }).toHaveLength(2)
      }
    }
    expect(seen.size).toBe(3000)
  })
})
