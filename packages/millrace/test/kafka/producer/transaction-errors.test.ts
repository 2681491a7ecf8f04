import { describe, expect, test } from 'vitest'
import { AbortedError, ConnectionError, TransactionError } from '../../../src/errors/index.ts'
import {
  describeFailure,
  isConcurrent,
  isFatal,
  isFatalAtLeader,
  isRefusal,
} from '../../../src/kafka/producer/transaction-errors.ts'
import { brokerError } from '../../../src/kafka/protocol/kafka-errors.ts'

const INVALID_PRODUCER_EPOCH = brokerError(47, 'End')
const PRODUCER_FENCED = brokerError(90, 'End')
const CONCURRENT_TRANSACTIONS = brokerError(51, 'End')
const TOPIC_AUTHORIZATION_FAILED = brokerError(29, 'Add')
const NOT_COORDINATOR = brokerError(16, 'End')
const LOST = new ConnectionError('BROKER_DISCONNECTED', 'gone')
const FENCED = new TransactionError('fenced', { fatal: true })

describe('errors of transactions', () => {
  test.each([
    { name: 'fenced', error: PRODUCER_FENCED, fatal: true, atLeader: true, refusal: true },
    // At a leader it may mean that the coordinator has aborted what took too long.
    { name: 'an old epoch', error: INVALID_PRODUCER_EPOCH, fatal: true, atLeader: false, refusal: true },
    { name: 'not permitted', error: TOPIC_AUTHORIZATION_FAILED, fatal: false, atLeader: false, refusal: true },
    { name: 'another coordinator', error: NOT_COORDINATOR, fatal: false, atLeader: false, refusal: false },
    { name: 'not yet', error: CONCURRENT_TRANSACTIONS, fatal: false, atLeader: false, refusal: false },
  ])('$name', ({ error, fatal, atLeader, refusal }) => {
    expect([isFatal(error), isFatalAtLeader(error), isRefusal(error)]).toEqual([fatal, atLeader, refusal])
  })

  test('of connections say nothing about what was done', () => {
    expect([isFatal(LOST), isRefusal(LOST), isConcurrent(LOST)]).toEqual([false, false, false])
    expect([isFatal(FENCED), isConcurrent(CONCURRENT_TRANSACTIONS)]).toEqual([true, true])
  })

  test('reach the caller as they are when they say enough, and otherwise with what failed and why', () => {
    const aborted = new AbortedError('Committing')
    for (const error of [aborted, LOST, FENCED, NOT_COORDINATOR])
      expect(describeFailure(error, 'commit', 'x')).toBe(error)
    expect(describeFailure(PRODUCER_FENCED, 'commit', 'x')).toMatchObject({
      fatal: true,
      message: expect.stringContaining(
        'Cannot commit a transaction of "x": another producer with the same transactional id',
      ),
    })
    expect(describeFailure(TOPIC_AUTHORIZATION_FAILED, 'add partitions to', 'x')).toMatchObject({ fatal: false })
    expect(describeFailure('?', 'abort', 'x')).toMatchObject({ code: 'UNEXPECTED' })
  })
})
