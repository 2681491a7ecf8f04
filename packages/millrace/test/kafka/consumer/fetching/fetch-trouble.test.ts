import { beforeEach, describe, expect, test } from 'vitest'
import { FetchBrokers } from '../../../../src/kafka/consumer/fetching/fetch-brokers.ts'
import { FetchTrouble } from '../../../../src/kafka/consumer/fetching/fetch-trouble.ts'
import { PartitionFetch } from '../../../../src/kafka/consumer/fetching/partition-fetch.ts'

describe('partitions that cannot be read', () => {
  let now = 0
  let warnings: string[] = []
  let trouble: FetchTrouble
  const fetchOf = (partition: number): PartitionFetch => {
    const fetch = new PartitionFetch('t', partition, 0, -1)
    fetch.problem = 'k1:9092 answers NOT_LEADER_OR_FOLLOWER'
    return fetch
  }
  beforeEach(() => {
    now = 100_000
    warnings = []
    trouble = new FetchTrouble(
      (message) => warnings.push(message),
      () => now,
    )
  })
  const pass = (ms: number): void => {
    for (const end = now + ms; now < end; now += 1000) trouble.check()
    trouble.check()
  }

  // A handler that held up the event loop for 20 s brought a warning that the broker did not answer.
  test('are not those of a broker whose answer could not be read as the event loop was held up', () => {
    const brokers = new FetchBrokers(1024)
    const fetch = fetchOf(3)
    const broker = brokers.list(fetch, 1)
    const facts = { topicId: () => undefined, leaderEpoch: () => 1 }
    broker.session.next(brokers.takeListed(broker), facts, 1024)
    brokers.ask(broker, 1024)
    broker.askedAt = now
    const look = (): void => trouble.look(brokers, { addressOf: () => 'k1:9092' }, 500)
    now += 20_000
    look()
    expect([warnings, trouble.isAny]).toEqual([[], false])
    for (let seconds = 0; seconds < 10; seconds++) {
      now += 1000
      look()
    }
    expect(warnings).toEqual([expect.stringContaining('k1:9092 does not answer')])
  })

  // A consumer whose leader was down for minutes looked like one that had nothing to read.
  test('are reported after five seconds, then every minute, and when they are read again', () => {
    const fetch = fetchOf(3)
    trouble.failed(fetch)
    pass(4000)
    expect([warnings, trouble.isLate(fetch)]).toEqual([[], false])
    pass(1000)
    expect(trouble.isLate(fetch)).toBe(true)
    expect(warnings).toEqual([
      'Partition 3 of topic "t" cannot be read for 5 s: k1:9092 answers NOT_LEADER_OR_FOLLOWER',
    ])
    pass(120_000)
    expect(warnings).toHaveLength(3)
    trouble.ended(fetch)
    expect(warnings.at(-1)).toBe('All partitions are read again, after 125 s')
    pass(60_000)
    expect(warnings).toHaveLength(4)
  })

  test('are no news of their own while no broker answers', () => {
    const silence = { since: 0, reason: 'Cannot reach broker "k1:9092": connection refused' }
    trouble = new FetchTrouble(
      (message) => warnings.push(message),
      () => now,
      () => silence,
    )
    trouble.failed(fetchOf(3))
    expect(trouble.problem).toBeUndefined()
    pass(5000)
    expect(trouble.problem).toBe(`no broker answers for 5 s: ${silence.reason}`)
    expect(warnings).toEqual([
      `No broker answers for 5 s, so that partition 3 of topic "t" cannot be read: ${silence.reason}`,
    ])
  })

  test('are reported together, and are not read again before all of them are', () => {
    const [one, two] = [fetchOf(1), fetchOf(2)]
    trouble.failed(one)
    trouble.failed(two)
    pass(6000)
    expect(trouble.problem).toBe('2 partitions cannot be read for 6 s: k1:9092 answers NOT_LEADER_OR_FOLLOWER')
    expect(warnings).toEqual([expect.stringContaining('2 partitions, for instance 1 of topic "t", cannot be read')])
    trouble.ended(one)
    expect(warnings).toHaveLength(1)
    trouble.ended(two)
    expect(warnings).toHaveLength(2)
  })

  test('are not mentioned when they are read again soon', () => {
    const fetch = fetchOf(1)
    for (let time = 0; time < 10; time++) {
      trouble.failed(fetch)
      pass(3000)
      trouble.ended(fetch)
    }
    expect(warnings).toEqual([])
  })
})
