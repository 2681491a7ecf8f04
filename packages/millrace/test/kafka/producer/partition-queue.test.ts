import { describe, expect, test } from 'vitest'
import { PartitionQueue, ProducerBatch } from '../../../src/kafka/producer/partition-queue.ts'
import type { IdentityOwner, ProducerIdentity } from '../../../src/kafka/producer/identity.ts'

/** What an owner does that has nothing to say about single batches. */
const always = { isCurrent: () => true, admits: () => true, onLost: () => {} }

/** Gives id 9 and counts epochs. */
const owner: IdentityOwner = {
  ...always,
  identityAfter: (previous: ProducerIdentity | undefined) => ({
    id: 9,
    epoch: previous === undefined ? 0 : previous.epoch + 1,
  }),
  acquire: async () => {},
}

const COUNT = 10

function queueWith(
  batches: number,
  identities: IdentityOwner | null = owner,
): { queue: PartitionQueue; made: ProducerBatch[] } {
  const queue = new PartitionQueue(0, 't', 0, identities ?? undefined)
  const made = Array.from({ length: batches }, () => {
    const batch = new ProducerBatch(queue, 0, 0)
    batch.closed = { bytes: Buffer.alloc(0), end: 0, count: COUNT }
    queue.waiting.push(batch)
    return batch
  })
  return { queue, made }
}

/** Sends what can be sent; gives the numbers of the batches. */
function sendAll(queue: PartitionQueue, made: readonly ProducerBatch[]): number[] {
  const sent: number[] = []
  for (let batch = queue.sendable; batch !== undefined; batch = queue.sendable) {
    if (!queue.send(batch)) break
    sent.push(made.indexOf(batch))
  }
  return sent
}

function deliver(queue: PartitionQueue, batch: ProducerBatch): void {
  queue.answered(batch)
  queue.sequence.established = true
  queue.remove(batch)
}

function refuse(queue: PartitionQueue, batch: ProducerBatch, ambiguous: boolean): void {
  queue.answered(batch)
  batch.ambiguous = ambiguous
}

function established(batches: number): { queue: PartitionQueue; made: ProducerBatch[] } {
  const { queue, made } = queueWith(batches + 1)
  sendAll(queue, made)
  deliver(queue, made[0]!)
  return { queue, made: made.slice(1) }
}

describe('queue of a partition', () => {
  test('sends one batch alone until the leader knows the producer', () => {
    const { queue, made } = queueWith(3)
    expect(sendAll(queue, made)).toEqual([0])
    deliver(queue, made[0]!)
    expect(sendAll(queue, made)).toEqual([1, 2])
    expect(made.map(({ sequence }) => sequence)).toEqual([0, COUNT, 2 * COUNT])
  })

  // With several under way, a batch that the leader refuses or never sees is overtaken by those behind it.
  test('has one batch under way without idempotence, so that retries keep the order', () => {
    const { queue, made } = queueWith(3, null)
    expect(sendAll(queue, made)).toEqual([0])
    refuse(queue, made[0]!, true)
    expect(sendAll(queue, made)).toEqual([0])
    deliver(queue, made[0]!)
    expect(sendAll(queue, made)).toEqual([1])
  })

  // Brokers limit requests each for itself: when the leader changed, ten batches were under way. The leader remembers five, so that
  // the first one, sent again, looked like a gap: SEQUENCE_BROKEN, and nothing was lost (K11).
  test('has no more batches under way than a leader remembers, whichever brokers they went to', () => {
    const { queue, made } = established(7)
    expect(sendAll(queue, made)).toEqual([0, 1, 2, 3, 4])
    deliver(queue, made[0]!)
    expect(sendAll(queue, made)).toEqual([5])
  })

  test('after a failure waits for all answers, then sends again one by one with the same sequences', () => {
    const { queue, made } = established(4)
    sendAll(queue, made.slice(0))
    const sequences = made.map(({ sequence }) => sequence)
    refuse(queue, made[0]!, true)
    expect(sendAll(queue, made)).toEqual([])
    deliver(queue, made[2]!)
    refuse(queue, made[1]!, false)
    expect(sendAll(queue, made)).toEqual([])
    refuse(queue, made[3]!, false)
    expect(sendAll(queue, made)).toEqual([0])
    deliver(queue, made[0]!)
    expect(sendAll(queue, made)).toEqual([1])
    deliver(queue, made[1]!)
    expect(sendAll(queue, made)).toEqual([3])
    expect(made.map(({ sequence }) => sequence)).toEqual(sequences)
    expect(queue.sequence.identity).toEqual({ id: 9, epoch: 0 })
  })

  test('after a lost batch renumbers those behind it in a new epoch', () => {
    const { queue, made } = established(3)
    sendAll(queue, made)
    queue.answered(made[0]!)
    queue.lose(made[0]!)
    refuse(queue, made[1]!, false)
    refuse(queue, made[2]!, false)
    expect(sendAll(queue, made)).toEqual([1])
    expect(queue.sequence.identity).toEqual({ id: 9, epoch: 1 })
    expect([made[1]!.sequence, made[2]!.sequence]).toEqual([0, COUNT])
  })

  test('asks the leader with the old sequence about a batch behind the lost one that may have been written', () => {
    const { queue, made } = established(3)
    sendAll(queue, made)
    queue.answered(made[0]!)
    queue.lose(made[0]!)
    refuse(queue, made[1]!, true)
    refuse(queue, made[2]!, true)
    const before = made[1]!.sequence
    expect(sendAll(queue, made)).toEqual([1])
    expect([made[1]!.sequence, queue.sequence.identity?.epoch]).toEqual([before, 0])
    // Out of order: it was not written, so the one behind it was not either.
    refuse(queue, made[1]!, false)
    expect(sendAll(queue, made)).toEqual([1])
    expect([made[1]!.sequence, made[2]!.sequence, queue.sequence.identity?.epoch]).toEqual([0, COUNT, 1])
  })

  test('starts a new epoch with the next batch when the lost one was the last', () => {
    const { queue, made } = established(2)
    queue.send(made[0]!)
    queue.answered(made[0]!)
    queue.lose(made[0]!)
    expect(sendAll(queue, made)).toEqual([1])
    expect([made[1]!.sequence, queue.sequence.identity?.epoch]).toEqual([0, 1])
  })

  test('the halves of a split batch use up its sequences', () => {
    const { queue, made } = established(2)
    sendAll(queue, made)
    const [large, behind] = made as [ProducerBatch, ProducerBatch]
    large.sequence = 2 ** 31 - 4
    refuse(queue, large, false)
    refuse(queue, behind, false)
    const parts = [4, 6].map((count) => {
      const part = new ProducerBatch(queue, 0, 0)
      part.closed = { bytes: Buffer.alloc(0), end: 0, count }
      return part
    })
    queue.replace(large, parts)
    expect(queue.sent).toEqual([...parts, behind])
    expect(parts.map(({ sequence }) => sequence)).toEqual([2 ** 31 - 4, 0])
  })

  test('those behind a batch that is left out take its sequences, in the same epoch', () => {
    const { queue, made } = established(3)
    sendAll(queue, made)
    const [refused, ...behind] = made
    for (const batch of made) refuse(queue, batch, false)
    expect(queue.isUnwrittenFrom(refused!)).toBe(true)
    queue.leaveOut(refused!)
    expect(behind.map(({ sequence }) => sequence)).toEqual([COUNT, 2 * COUNT])
    expect(queue.sequence).toMatchObject({ next: 3 * COUNT, broken: false, identity: { epoch: 0 } })
    expect(sendAll(queue, made)).toEqual([1])
  })

  test.each<{ when: string; prepare: (queue: PartitionQueue, made: readonly ProducerBatch[]) => void }>([
    { when: 'one behind it is under way', prepare: (queue, made) => refuse(queue, made[0]!, false) },
    {
      when: 'a late copy of one behind it may arrive',
      prepare: (queue, made) => made.forEach((batch, i) => refuse(queue, batch, i === 2)),
    },
    {
      when: 'it is not known what was before it',
      prepare: (queue, made) => {
        for (const batch of made) refuse(queue, batch, false)
        queue.sequence.broken = true
      },
    },
  ])('a batch cannot be left out when $when', ({ prepare }) => {
    const { queue, made } = established(3)
    sendAll(queue, made)
    prepare(queue, made)
    expect(queue.isUnwrittenFrom(made[0]!)).toBe(false)
  })

  test('waits while a new identity is being asked for', () => {
    const identities: ProducerIdentity[] = []
    const { queue, made } = queueWith(1, { ...always, identityAfter: () => identities[0], acquire: async () => {} })
    expect(sendAll(queue, made)).toEqual([])
    expect(queue.waiting).toHaveLength(1)
    identities.push({ id: 1, epoch: 0 })
    expect(sendAll(queue, made)).toEqual([0])
  })
})
