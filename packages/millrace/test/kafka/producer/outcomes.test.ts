import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConnectionError, type MillraceError } from '../../../src/errors/index.ts'
import type { ProducerBatch } from '../../../src/kafka/producer/partition-queue.ts'
import { Accumulator } from '../../../src/kafka/producer/accumulator.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { AppendRecords } from '../../../src/kafka/producer/append-records.ts'
import type { ProducerOptions } from '../../../src/kafka/producer/options.ts'
import { Outcomes } from '../../../src/kafka/producer/outcomes.ts'
import { ReportTicket } from '../../../src/kafka/producer/reports.ts'
import type { ProducedPartition, ProduceResponse } from '../../../src/kafka/protocol/produce.ts'
import type { IdentityOwner, ProducerIdentity } from '../../../src/kafka/producer/identity.ts'
import { producerOptions } from '../../support/producer-options.ts'

const LEADER = 1

/** Gives id 9 and counts epochs. */
const owner: IdentityOwner = {
  isCurrent: () => true,
  admits: () => true,
  onLost: () => {},
  identityAfter: (previous: ProducerIdentity | undefined) => ({ id: 9, epoch: (previous?.epoch ?? -1) + 1 }),
  acquire: async () => {},
}

/** One partition with batches of `COUNT` records that were sent and wait for what is said of them. */
const COUNT = 3

class Sent {
  readonly staleTopics: string[] = []
  readonly outcomes: Outcomes
  readonly batches: readonly ProducerBatch[]
  readonly #accumulator: Accumulator
  readonly #ticket: ReportTicket

  constructor(batches = 1, options: Partial<ProducerOptions> = {}) {
    const settings = producerOptions({ lingerMs: 60_000, batchRecords: COUNT, ...options })
    const identities = settings.idempotence ? owner : undefined
    this.#accumulator = new Accumulator(settings, identities, {
      onLinger: () => {},
      isAvailable: () => true,
      onBroken: () => {},
      onFailure: () => {},
    })
    const queue = this.#accumulator.learn('t', 1).queues[0]!
    // Several may be under way only when the leader knows the producer.
    if (settings.idempotence) queue.sequence.begin({ id: 9, epoch: 0 })
    queue.sequence.established = true
    const records = Array.from({ length: batches * COUNT }, (_, i) => ({ value: `${i}` }))
    this.#ticket = new ReportTicket(records.length, this.#accumulator.queues)
    new AppendRecords(records, 't', this.#ticket, this.#accumulator, 1 << 20, () => {}).run()
    this.#accumulator.closeAll()
    this.#accumulator.stop()
    this.batches = [...queue.waiting]
    const cluster = new Cluster({ bootstrapServers: ['127.0.0.1:1'], clientId: 'outcomes' })
    this.outcomes = new Outcomes(cluster, settings, this.#accumulator, identities, (topic) =>
      this.staleTopics.push(topic),
    )
    this.send()
  }

  /** Sends what may be sent now. */
  send(): ProducerBatch[] {
    const [queue] = this.#accumulator.queues
    const sent: ProducerBatch[] = []
    for (let batch = queue!.sendable; batch !== undefined; batch = queue!.sendable) {
      queue!.send(batch)
      sent.push(batch)
    }
    return sent
  }

  answer(batch: ProducerBatch, result: Partial<ProducedPartition>): void {
    batch.queue.answered(batch)
    const partition: ProducedPartition = {
      partition: 0,
      errorCode: 0,
      errorMessage: null,
      baseOffset: -1,
      logStartOffset: 0,
      recordErrors: [],
      leader: undefined,
      ...result,
    }
    const response: ProduceResponse = { throttleMs: 0, topics: [{ name: 't', partitions: [partition] }] }
    this.outcomes.answered([batch], response, LEADER)
  }

  leaveUnanswered(batch: ProducerBatch, code: ConstructorParameters<typeof ConnectionError>[0]): void {
    batch.queue.answered(batch)
    this.outcomes.unanswered(batch, new ConnectionError(code, `Nothing came: ${code}`))
  }

  /** Of each record: its offset, or why it failed; undefined while it is open. */
  get reports(): (string | undefined)[] {
    const { failures } = this.#ticket.reports
    const settled = new Set(this.batches.flatMap(({ settled }, i) => (settled ? [i] : [])))
    return Array.from({ length: this.#ticket.length }, (_, i) => {
      if (failures.has(i)) return failures.get(i)!.code
      if (!settled.has(Math.floor(i / COUNT))) return undefined
      return String((this.#ticket.reports.get(i) as { offset: bigint }).offset)
    })
  }

  get failures(): [row: number, code: string][] {
    return [...this.#ticket.reports.failures].map(([row, { code }]) => [row, code])
  }

  giveUp(): void {
    this.outcomes.giveUp(this.#ticket)
  }

  failure(record: number): MillraceError {
    return this.#ticket.reports.get(record) as MillraceError
  }

  get heldBytes(): number {
    return this.#accumulator.heldBytes
  }
}

/** What happened to a batch. */
function fate({ reports, batches: [batch] }: Sent): string {
  if (!batch!.settled) return `sent again ${batch!.notBefore === 0 ? 'at once' : 'later'}`
  return `${batch!.attempts === 1 ? '' : 'after all '}${reports[0]}`
}

describe('what happens to a batch that was sent', () => {
  test.each([
    { result: 'none', code: 0, is: '7' },
    { result: 'DUPLICATE_SEQUENCE_NUMBER', code: 46, is: '-1' },
    { result: 'INVALID_RECORD', code: 87, is: 'DELIVERY_FAILED' },
    { result: 'INVALID_TIMESTAMP', code: 32, is: 'DELIVERY_FAILED' },
    { result: 'OUT_OF_ORDER_SEQUENCE_NUMBER of the first', code: 45, is: 'SEQUENCE_BROKEN' },
    { result: 'UNKNOWN_PRODUCER_ID', code: 59, is: 'sent again later' },
    { result: 'INVALID_PRODUCER_EPOCH', code: 47, is: 'sent again later' },
    { result: 'CONCURRENT_TRANSACTIONS', code: 51, is: 'sent again later' },
    { result: 'NOT_ENOUGH_REPLICAS', code: 19, is: 'sent again later' },
    { result: 'NOT_LEADER_OR_FOLLOWER', code: 6, is: 'sent again later' },
    { result: 'TOPIC_AUTHORIZATION_FAILED', code: 29, is: 'DELIVERY_FAILED' },
    { result: 'an unknown code', code: 9999, is: 'DELIVERY_FAILED' },
  ])('$result: $is', ({ code, is }) => {
    const sent = new Sent()
    sent.answer(sent.batches[0]!, { errorCode: code, baseOffset: code === 0 ? 7 : -1 })
    expect(fate(sent)).toBe(is)
    if (sent.batches[0]!.settled) expect(sent.heldBytes).toBe(0)
  })

  test('MESSAGE_TOO_LARGE: split in two under the same sequences; a single record fails', () => {
    const sent = new Sent()
    const [batch] = sent.batches
    sent.answer(batch!, { errorCode: 10 })
    const [first] = sent.send()
    expect([first!.count, first!.sequence]).toEqual([1, 0])
    sent.answer(first!, { errorCode: 10 })
    expect(sent.failure(0)).toMatchObject({ code: 'RECORD_TOO_LARGE' })
  })

  // A topic that was just created is often answered like this once.
  test('MESSAGE_TOO_LARGE after an answer that leaves open whether it was written: its parts are written', () => {
    const sent = new Sent()
    sent.answer(sent.batches[0]!, { errorCode: 6 })
    sent.send()
    sent.answer(sent.batches[0]!, { errorCode: 10 })
    const [first] = sent.send()
    expect([first!.count, first!.sequence, first!.queue.sequence.identity!.epoch]).toEqual([1, 0, 0])
    sent.answer(first!, { baseOffset: 0 })
    const [second] = sent.send()
    expect([second!.count, second!.sequence, second!.ambiguous]).toEqual([2, 1, false])
    sent.answer(second!, { errorCode: 10 })
    for (const offset of [1, 2]) sent.answer(sent.send()[0]!, { baseOffset: offset })
    expect(sent.failures).toEqual([])
  })

  // Its parts were renumbered and written beside it.
  test('MESSAGE_TOO_LARGE of what was written, as the limit was lowered meanwhile: no part is written beside it', () => {
    const sent = new Sent(2)
    const [batch, next] = sent.batches
    sent.leaveUnanswered(next!, 'REQUEST_TIMED_OUT')
    sent.leaveUnanswered(batch!, 'REQUEST_TIMED_OUT')
    expect(sent.send()).toEqual([batch])
    sent.answer(batch!, { errorCode: 10 })
    for (const sequence of [0, 1]) {
      const [part] = sent.send()
      expect([part!.sequence, part!.queue.sequence.identity!.epoch]).toEqual([sequence, 0])
      sent.answer(part!, { errorCode: 45 })
    }
    expect(sent.failures).toEqual([0, 1, 2].map((row) => [row, 'SEQUENCE_BROKEN']))
    // What may have been written behind it is tried under its own sequence.
    expect(sent.send()).toEqual([next])
    expect([next!.sequence, next!.queue.sequence.identity!.epoch]).toEqual([COUNT, 0])
  })

  test('a single record that is too large fails as such, whatever became of an earlier attempt', () => {
    const sent = new Sent(1, { batchRecords: 1 })
    sent.leaveUnanswered(sent.batches[0]!, 'REQUEST_TIMED_OUT')
    sent.send()
    sent.answer(sent.batches[0]!, { errorCode: 10 })
    expect(sent.failure(0)).toMatchObject({ code: 'RECORD_TOO_LARGE' })
  })

  // They were reported as if they had certainly not been written.
  test.each<{ what: string; options: Partial<ProducerOptions>; result: Partial<ProducedPartition> }>([
    { what: 'a record that is too large', options: { batchRecords: 1 }, result: { errorCode: 10 } },
    { what: 'the only record, which is invalid', options: { batchRecords: 1 }, result: { errorCode: 87 } },
    {
      what: 'a record that the broker named, and those beside it',
      options: {},
      result: { errorCode: 87, recordErrors: [{ index: 1, message: 'has no key' }] },
    },
    { what: 'what was sent too often', options: { maxRetries: 1 }, result: { errorCode: 6 } },
    { what: 'a part of what was too large', options: { idempotence: false, acks: 1 }, result: { errorCode: 10 } },
    { what: 'what is refused for good', options: {}, result: { errorCode: 29 } },
  ])('$what after an attempt without an answer: the error says that it may have been written', (row) => {
    const sent = new Sent(1, row.options)
    for (const batch of sent.batches) if (batch.inFlight) sent.leaveUnanswered(batch, 'REQUEST_TIMED_OUT')
    for (let [batch] = sent.send(); batch !== undefined; [batch] = sent.send()) sent.answer(batch, row.result)
    expect(sent.failures).not.toEqual([])
    for (const [index] of sent.failures) expect(sent.failure(index).message).toContain('it is unknown whether')
  })

  test.each([
    { answer: 'UNKNOWN_SERVER_ERROR', code: -1, isOpen: true },
    { answer: 'TOPIC_AUTHORIZATION_FAILED', code: 29, isOpen: false },
  ])('$answer to the only attempt: whether the error says that it may have been written is $isOpen', (row) => {
    const sent = new Sent()
    sent.answer(sent.batches[0]!, { errorCode: row.code })
    expect(sent.failure(0).message.includes('it is unknown whether')).toBe(row.isOpen)
  })

  // It counted as sent, and with at_most_once it was never written.
  test.each([
    { code: 'TOKEN_UNAVAILABLE', isOpen: false },
    { code: 'BROKER_UNREACHABLE', isOpen: false },
    { code: 'BROKER_DISCONNECTED', isOpen: true },
  ] as const)('an attempt that ends with $code: whether it may have been written is $isOpen', ({ code, isOpen }) => {
    const sent = new Sent()
    sent.leaveUnanswered(sent.batches[0]!, code)
    expect(sent.batches[0]!.ambiguous).toBe(isOpen)
  })

  test('a record that the broker named fails with its words, those beside it because of it', () => {
    const sent = new Sent()
    sent.answer(sent.batches[0]!, { errorCode: 87, recordErrors: [{ index: 1, message: 'has no key' }] })
    expect(sent.reports).toEqual(['REFUSED_WITH_BATCH', 'DELIVERY_FAILED', 'REFUSED_WITH_BATCH'])
    expect(sent.failure(1).message).toContain('has no key')
  })

  // A topic that was just created is often answered like this once; those beside it were written again in a new epoch.
  describe('a record that the broker names after an answer that leaves open whether it was written', () => {
    const refused = { errorCode: 87, recordErrors: [{ index: 0, message: 'has no key' }] }

    test('those beside it are written under its sequence, and what is behind it in a new epoch', () => {
      const sent = new Sent(2, { failsFollowing: true })
      const [batch, next] = sent.batches
      for (const each of [next!, batch!]) sent.leaveUnanswered(each, 'REQUEST_TIMED_OUT')
      expect(sent.send()).toEqual([batch])
      sent.answer(batch!, refused)
      expect(sent.failures).toEqual([[0, 'DELIVERY_FAILED']])
      const [others] = sent.send()
      expect([others!.count, others!.sequence, others!.queue.sequence.identity!.epoch]).toEqual([2, 0, 0])
      sent.answer(others!, { baseOffset: 7 })
      // It may have been written, as far as is known here.
      expect([sent.send(), next!.sequence]).toEqual([[next], COUNT])
      sent.answer(next!, { errorCode: 45 })
      expect(sent.send()).toEqual([next])
      expect([next!.sequence, next!.queue.sequence.identity!.epoch]).toEqual([0, 1])
      sent.answer(next!, { baseOffset: 9 })
      expect(sent.reports).toEqual(['DELIVERY_FAILED', '7', '8', '9', '10', '11'])
      expect(sent.heldBytes).toBe(0)
    })

    test('those beside it are not written again when they were written', () => {
      const sent = new Sent()
      sent.leaveUnanswered(sent.batches[0]!, 'REQUEST_TIMED_OUT')
      sent.send()
      sent.answer(sent.batches[0]!, refused)
      sent.answer(sent.send()[0]!, { errorCode: 45 })
      expect(sent.reports).toEqual(['DELIVERY_FAILED', 'SEQUENCE_BROKEN', 'SEQUENCE_BROKEN'])
      for (const index of [0, 1, 2]) expect(sent.failure(index).message).toContain('it is unknown whether')
      expect(sent.send()).toEqual([])
    })
  })

  test('OUT_OF_ORDER_SEQUENCE_NUMBER behind another batch: sent again after it', () => {
    const sent = new Sent(2)
    const [first, second] = sent.batches
    sent.answer(second!, { errorCode: 45 })
    expect(sent.send()).toEqual([])
    sent.answer(first!, { baseOffset: 0 })
    expect(sent.send()).toEqual([second])
    sent.answer(second!, { baseOffset: COUNT })
    expect(sent.reports).toEqual(['0', '1', '2', '3', '4', '5'])
  })

  test('a producer that the leader has forgotten: nothing is sent twice when it may have been written', () => {
    const sent = new Sent()
    const [batch] = sent.batches
    sent.leaveUnanswered(batch!, 'REQUEST_TIMED_OUT')
    expect(sent.send()).toEqual([batch])
    sent.answer(batch!, { errorCode: 59 })
    expect(fate(sent)).toBe('after all SEQUENCE_BROKEN')
  })

  test('no answer: sent again under the same sequence, and the leaders are asked for', () => {
    const sent = new Sent()
    const [batch] = sent.batches
    sent.leaveUnanswered(batch!, 'REQUEST_TIMED_OUT')
    expect(fate(sent)).toBe('sent again later')
    expect(sent.staleTopics).toEqual(['t'])
    expect(sent.send()).toEqual([batch])
    expect(batch!.sequence).toBe(0)
    expect(batch!.queue.sequence.identity!.epoch).toBe(0)
  })

  test('a partition that the answer leaves out fails', () => {
    const sent = new Sent()
    const [batch] = sent.batches
    batch!.queue.answered(batch!)
    sent.outcomes.answered([batch!], { throttleMs: 0, topics: [] }, LEADER)
    expect(sent.failure(0).message).toContain('Broker 1 left partition 0 of topic "t" out of its Produce response')
  })

  test('what is behind a batch that fails is written in a new epoch', () => {
    const sent = new Sent(2)
    const [first, second] = sent.batches
    sent.answer(first!, { errorCode: 29 })
    sent.answer(second!, { errorCode: 45 })
    expect(sent.send()).toEqual([second])
    expect([second!.queue.sequence.identity!.epoch, second!.sequence]).toEqual([1, 0])
  })

  test('what is behind a batch that fails fails too, when it is to be written in order (I2)', () => {
    const sent = new Sent(3, { failsFollowing: true })
    const [first, second, third] = sent.batches
    sent.answer(first!, { errorCode: 29 })
    expect(first!.queue.cutOff).toBe(1)
    // They were in flight, and what the leader says of them is not asked for again.
    for (const batch of [second!, third!]) sent.answer(batch, { errorCode: 45 })
    expect(sent.reports.slice(COUNT)).toEqual(Array.from({ length: 2 * COUNT }, () => 'REFUSED_WITH_BATCH'))
    expect(sent.send()).toEqual([])
  })

  // They failed with it, were written again behind it, and came twice when they had been written.
  test('what is before a batch that fails is sent again under its own sequence, also when it is to be written in order', () => {
    const sent = new Sent(3, { failsFollowing: true })
    const [first, second, third] = sent.batches
    sent.answer(first!, { errorCode: 20 })
    sent.answer(second!, { errorCode: 87 })
    sent.answer(third!, { errorCode: 45 })
    expect(sent.send()).toEqual([first])
    expect([first!.sequence, first!.queue.sequence.identity!.epoch]).toEqual([0, 0])
    sent.answer(first!, { baseOffset: 7 })
    expect(sent.reports).toEqual([
      '7',
      '8',
      '9',
      ...Array.from({ length: COUNT }, () => 'DELIVERY_FAILED'),
      ...Array.from({ length: COUNT }, () => 'REFUSED_WITH_BATCH'),
    ])
    expect(sent.heldBytes).toBe(0)
  })

  test('what is given up fails, sent or not, and is never sent again', () => {
    const sent = new Sent(2)
    const [first] = sent.batches
    sent.leaveUnanswered(first!, 'REQUEST_TIMED_OUT')
    sent.giveUp()
    expect(sent.reports).toEqual(Array.from({ length: 2 * COUNT }, () => 'DELIVERY_TIMED_OUT'))
    expect(sent.failure(0).message).toMatch(/were given up, and it is unknown whether they were written/)
    expect(sent.send()).toEqual([])
    expect(sent.heldBytes).toBe(0)
  })

  // at_most_once: a request whose response was lost was sent again without idempotence, and its records came twice (K14).
  describe('when records must not be written twice', () => {
    const uncertain: [records: number, code: string][] = []
    const once = (options: Partial<ProducerOptions>, batches = 1): Sent =>
      new Sent(batches, { ...options, onUncertain: (records, { code }) => uncertain.push([records, code]) })
    beforeEach(() => void uncertain.splice(0))

    test.each([
      {
        acks: 1,
        what: 'no response',
        tell: (sent: Sent) => sent.leaveUnanswered(sent.batches[0]!, 'REQUEST_TIMED_OUT'),
        is: '-1',
      },
      {
        acks: 0,
        what: 'no response',
        tell: (sent: Sent) => sent.leaveUnanswered(sent.batches[0]!, 'REQUEST_TIMED_OUT'),
        is: '-1',
      },
      {
        acks: 1,
        what: 'no connection',
        tell: (sent: Sent) => sent.leaveUnanswered(sent.batches[0]!, 'BROKER_UNREACHABLE'),
        is: 'sent again later',
      },
      {
        acks: 1,
        what: 'REQUEST_TIMED_OUT',
        tell: (sent: Sent) => sent.answer(sent.batches[0]!, { errorCode: 7 }),
        is: '-1',
      },
      {
        acks: 1,
        what: 'NOT_LEADER_OR_FOLLOWER',
        tell: (sent: Sent) => sent.answer(sent.batches[0]!, { errorCode: 6 }),
        is: 'sent again later',
      },
      {
        acks: 'all',
        what: 'NOT_LEADER_OR_FOLLOWER',
        tell: (sent: Sent) => sent.answer(sent.batches[0]!, { errorCode: 6 }),
        is: '-1',
      },
    ] as const)('without idempotence, acks $acks, $what: $is', async ({ acks, tell, is }) => {
      const sent = once({ acks, idempotence: false })
      tell(sent)
      expect(fate(sent)).toBe(is)
      await Promise.resolve()
      expect(uncertain.map(([records]) => records)).toEqual(is === '-1' ? [COUNT] : [])
    })

    test('with idempotence it is sent again, and left open only when its time is over', async () => {
      vi.useFakeTimers({ toFake: ['performance'] })
      const sent = once({ deliveryTimeoutMs: 1000 })
      sent.leaveUnanswered(sent.batches[0]!, 'REQUEST_TIMED_OUT')
      expect(fate(sent)).toBe('sent again later')
      vi.advanceTimersByTime(1000)
      sent.outcomes.expire()
      vi.useRealTimers()
      await Promise.resolve()
      expect([fate(sent), uncertain]).toEqual(['-1', [[COUNT, 'DELIVERY_TIMED_OUT']]])
      expect(sent.batches[0]!.queue.sequence.broken).toBe(true)
      expect(sent.heldBytes).toBe(0)
    })

    test('what shares a batch with records that are given up is not written again either', async () => {
      const sent = once({}, 2)
      sent.giveUp()
      await Promise.resolve()
      expect(sent.reports).toEqual(Array.from({ length: 2 * COUNT }, () => '-1'))
      expect(uncertain).toEqual([[2 * COUNT, 'DELIVERY_TIMED_OUT']])
    })

    test('what is behind a batch that failed is written again only if it was not written for certain', async () => {
      const sent = once({ failsFollowing: true }, 3)
      const [first, second, third] = sent.batches
      sent.answer(first!, { errorCode: 29 })
      sent.leaveUnanswered(second!, 'REQUEST_TIMED_OUT')
      sent.answer(third!, { errorCode: 45 })
      await Promise.resolve()
      expect(sent.reports.slice(COUNT)).toEqual([
        '-1',
        '-1',
        '-1',
        ...Array.from({ length: COUNT }, () => 'REFUSED_WITH_BATCH'),
      ])
      expect(uncertain).toEqual([[COUNT, 'REFUSED_WITH_BATCH']])
    })

    // It failed, and was written again.
    test('what is behind a batch that failed is left open when the leader has written it, and too few replicas have', async () => {
      const sent = once({ failsFollowing: true }, 2)
      const [first, second] = sent.batches
      sent.answer(first!, { errorCode: 29 })
      sent.answer(second!, { errorCode: 20 })
      await Promise.resolve()
      expect(sent.reports.slice(COUNT)).toEqual(['-1', '-1', '-1'])
      expect(uncertain).toEqual([[COUNT, 'REFUSED_WITH_BATCH']])
    })
  })

  describe('when its time is over', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
    afterEach(() => void vi.useRealTimers())

    const NOT_ENOUGH_REPLICAS = 19
    const OVER = { deliveryTimeoutMs: 1000 }

    test('it fails, unless an answer is still to come', () => {
      const sent = new Sent(1, OVER)
      vi.advanceTimersByTime(1000)
      expect(sent.outcomes.expire()).toBe(true)
      sent.answer(sent.batches[0]!, { baseOffset: 0 })
      expect(sent.outcomes.expire()).toBe(false)
      expect(sent.reports).toEqual(['0', '1', '2'])
    })

    test.each<{ when: string; tell: (sent: Sent, batch: ProducerBatch) => void; says: RegExp }>([
      {
        when: 'a broker refused it',
        tell: (sent, batch) => sent.answer(batch, { errorCode: NOT_ENOUGH_REPLICAS }),
        says: /they were not written; last: .*NOT_ENOUGH_REPLICAS[^;]*$/,
      },
      {
        when: 'no broker could be reached',
        tell: (sent, batch) => sent.leaveUnanswered(batch, 'BROKER_UNREACHABLE'),
        says: /they were not written; last: Nothing came: BROKER_UNREACHABLE$/,
      },
      {
        when: 'no answer came',
        tell: (sent, batch) => sent.leaveUnanswered(batch, 'REQUEST_TIMED_OUT'),
        says: /it is unknown whether they were written; last: Nothing came: REQUEST_TIMED_OUT$/,
      },
      {
        when: 'a broker refused it and then did not answer in time',
        tell: (sent, batch) => {
          sent.answer(batch, { errorCode: NOT_ENOUGH_REPLICAS })
          sent.send()
          sent.leaveUnanswered(batch, 'REQUEST_TIMED_OUT')
        },
        says: /it is unknown whether they were written; last: Nothing came: REQUEST_TIMED_OUT; last response: .*NOT_ENOUGH_REPLICAS/,
      },
    ])('the error says what was in the way: $when', ({ tell, says }) => {
      const sent = new Sent(1, OVER)
      tell(sent, sent.batches[0]!)
      vi.advanceTimersByTime(1000)
      expect(sent.outcomes.expire()).toBe(false)
      expect(sent.failure(0)).toMatchObject({ code: 'DELIVERY_TIMED_OUT', topic: 't', partition: 0 })
      expect(sent.failure(0).message).toMatch(says)
      expect(sent.heldBytes).toBe(0)
    })
  })
})
