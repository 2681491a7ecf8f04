import { describe, expect, test } from 'vitest'
import { CompletedFetch } from '../../../../src/kafka/consumer/fetching/completed-fetch.ts'
import { FetchedPartitions } from '../../../../src/kafka/consumer/fetching/fetched-partitions.ts'
import type { PartitionFetch } from '../../../../src/kafka/consumer/fetching/partition-fetch.ts'
import { encodeRecordBatch } from '../../../support/encode-record-batch.ts'

const TOPIC = 't'
const ONE_BATCH = { maxBytes: 1, maxPlainBytes: 1, maxRecords: 1 }
const OPTIONS = { checkCrcs: true, maxDecompressedBytes: 1000 }

class Bed {
  readonly taken: number[] = []
  held = 0
  readonly partitions = new FetchedPartitions({
    onHeld: (_fetch, bytes) => (this.held += bytes),
    onTaken: ({ partition }) => this.taken.push(partition),
  })

  constructor(count: number) {
    for (let partition = 0; partition < count; partition++) this.partitions.add(TOPIC, partition, 0)
  }

  of(partition: number): PartitionFetch {
    return this.partitions.get(TOPIC, partition)!
  }

  /** An answer with so many record batches of one record each. @returns its bytes */
  receive(partition: number, batches = 1): number {
    const bytes = Buffer.concat(
      Array.from({ length: batches }, (_, i) =>
        encodeRecordBatch({ records: [{ value: Buffer.from('v') }], baseOffset: i, leaderEpoch: 3 + i }),
      ),
    )
    this.partitions.received(this.of(partition), new CompletedFetch(bytes, TOPIC, partition, 0, [], OPTIONS))
    return bytes.length
  }

  /** Partitions in the order in which they are served. */
  takeAll(): number[] {
    const served: number[] = []
    for (;;) {
      const slice = this.partitions.take(ONE_BATCH)
      if (slice === undefined) return served
      served.push(slice.partition)
    }
  }
}

describe('fetched partitions', () => {
  test('are served in turn, each answer in its order', () => {
    const bed = new Bed(3)
    bed.receive(0, 3)
    bed.receive(1)
    bed.receive(2, 2)
    bed.receive(1)
    expect(bed.takeAll()).toEqual([0, 1, 2, 0, 1, 2, 0])
    expect(bed.taken).toEqual([1, 1, 2, 0])
  })

  test('count the bytes that wait until the last slice of an answer is taken', () => {
    const bed = new Bed(2)
    const first = bed.receive(0, 2)
    const second = bed.receive(1)
    expect(bed.held).toBe(first + second)
    bed.partitions.take(ONE_BATCH)
    expect([bed.held, bed.of(0).bufferedBytes]).toEqual([first + second, first])
    bed.takeAll()
    expect([bed.held, bed.of(0).bufferedBytes]).toEqual([0, 0])
  })

  test('are not served while they are paused', () => {
    const bed = new Bed(2)
    bed.receive(0)
    bed.receive(1)
    bed.of(0).isPaused = true
    expect(bed.partitions.hasReady).toBe(true)
    expect(bed.takeAll()).toEqual([1])
    expect(bed.partitions.hasReady).toBe(false)
    bed.of(0).isPaused = false
    bed.partitions.serve(bed.of(0))
    expect(bed.partitions.hasReady).toBe(true)
    expect(bed.takeAll()).toEqual([0])
  })

  test('forget what was fetched when they are removed, or added at another offset', () => {
    const bed = new Bed(2)
    bed.receive(0)
    const kept = bed.receive(1)
    const before = bed.of(0)
    bed.partitions.add(TOPIC, 0, 7)
    expect([before.state, bed.of(0).state, bed.of(0).position]).toEqual(['removed', 'idle', 7])
    expect(bed.held).toBe(kept)
    expect(bed.partitions.remove(TOPIC, 1)).toMatchObject({ partition: 1 })
    expect(bed.partitions.remove(TOPIC, 1)).toBe(undefined)
    expect([bed.held, bed.partitions.hasReady]).toEqual([0, false])
  })

  test('are fetched again from the first record that was not taken when they are dropped', () => {
    const bed = new Bed(1)
    bed.receive(0, 3)
    bed.receive(0)
    bed.partitions.take(ONE_BATCH)
    bed.partitions.drop(bed.of(0))
    expect([bed.of(0).position, bed.held, bed.partitions.hasReady]).toEqual([1, 0, false])
    // It was forgotten, so that after a change of leader nothing asked whether the position was still in the log (K11).
    expect(bed.of(0).epoch).toBe(3)
  })

  test('move to a new position when everything before is taken', () => {
    const bed = new Bed(2)
    bed.receive(0)
    expect(bed.of(0).losePosition()).toBe('lost')
    expect(bed.of(1).losePosition()).toBe('moving')
  })

  test('notice that a topic was deleted and created again', () => {
    const fetch = new Bed(1).of(0)
    expect([undefined, 'a', 'a', undefined, 'b', 'b'].map((id) => fetch.noteTopicId(id))).toEqual([
      false,
      false,
      false,
      false,
      true,
      false,
    ])
  })

  test('refuse what their state does not allow', () => {
    const fetch = new Bed(1).of(0)
    fetch.on('ask')
    expect(() => fetch.on('ask')).toThrow('Partition 0 of topic "t"')
  })
})
