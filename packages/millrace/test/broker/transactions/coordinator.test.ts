import { beforeEach, describe, expect, test } from 'vitest'
import { Cluster } from '../../../src/broker/cluster/cluster.ts'
import { GroupCoordinator } from '../../../src/broker/groups/coordinator.ts'
import { Timers } from '../../../src/broker/timers.ts'
import { TransactionCoordinator } from '../../../src/broker/transactions/coordinator.ts'
import {
  ENDINGS_TV1,
  ENDINGS_TV2,
  ENDINGS_TV2_REPEATED,
  type Ending,
  TRANSACTION_STATES,
  type TransactionState,
} from '../../../src/broker/transactions/states.ts'
import type { ProducerIdentity } from '../../../src/broker/transactions/producer-identity.ts'
import { LAST_EPOCH, NO_PRODUCER } from '../../../src/broker/transactions/transaction.ts'
import { IN_MEMORY } from '../../../src/broker/storage/store.ts'
import { ERROR } from '../../../src/protocol/error-codes.ts'

const SETTINGS = { minSessionTimeoutMs: 1, maxSessionTimeoutMs: 1, sessionTimeoutMs: 1, heartbeatIntervalMs: 1 }
const NOW = 1_800_000_000_000
let cluster: Cluster
let coordinator: TransactionCoordinator

beforeEach(() => {
  cluster = new Cluster({
    nodes: [{ id: 0, host: 'h', port: 1, listens: { host: 'h', port: 1 }, running: true }],
    autoCreateTopics: false,
    defaultPartitions: 1,
    retentionBytes: 1e9,
    now: () => NOW,
    store: IN_MEMORY,
    protocol: 'PLAINTEXT',
  })
  cluster.createTopic('orders', 2)
  const timers = new Timers(() => {})
  coordinator = new TransactionCoordinator(cluster, new GroupCoordinator(cluster, timers, SETTINGS), timers)
})

function initialize(expected: ProducerIdentity = NO_PRODUCER): ProducerIdentity {
  const producer = coordinator.initialize('tx', 60_000, expected)
  if (typeof producer === 'number') throw new Error(`Refused with ${producer}`)
  return producer
}

const begin = (producer: ProducerIdentity): number => coordinator.addPartitions('tx', producer, [['orders', 0]])
const state = (): TransactionState => coordinator.find('tx')!.state
const markers = (): number => cluster.partition('orders', 0)!.log.endOffset

/** Brings the transactional id into a state. @returns the producer that may go on, and the one that it was before */
function reach(wanted: TransactionState, bumps: boolean): { current: ProducerIdentity; before: ProducerIdentity } {
  const first = initialize()
  if (wanted === 'Empty') return { current: first, before: NO_PRODUCER }
  begin(first)
  if (wanted === 'Ongoing') return { current: first, before: { ...first, epoch: first.epoch - 1 } }
  const { producer } = coordinator.end('tx', first, wanted === 'CompleteCommit', bumps)
  return { current: producer, before: first }
}

describe('ending a transaction', () => {
  const cells = TRANSACTION_STATES.flatMap((from) => (['commit', 'abort'] as const).map((how) => ({ from, how })))

  function check(producer: ProducerIdentity, how: 'commit' | 'abort', bumps: boolean, expected: Ending): void {
    const before = { state: state(), markers: markers(), producer: coordinator.find('tx')!.producer }
    const { errorCode, producer: next } = coordinator.end('tx', producer, how === 'commit', bumps)
    if (expected === 'invalid') {
      expect({ state: state(), markers: markers() }).toEqual({ state: before.state, markers: before.markers })
      expect([ERROR.INVALID_TXN_STATE, ERROR.PRODUCER_FENCED, ERROR.INVALID_PRODUCER_ID_MAPPING]).toContain(errorCode)
      return
    }
    expect(errorCode).toBe(ERROR.NONE)
    expect(state()).toBe(how === 'commit' ? 'CompleteCommit' : 'CompleteAbort')
    expect(markers() - before.markers).toBe(expected === 'end' ? 1 : 0)
    const grown = bumps && expected !== 'done'
    expect(next).toEqual(grown ? { ...before.producer, epoch: before.producer.epoch + 1 } : before.producer)
  }

  test.each(cells)('before KIP-890, $from: $how', ({ from, how }) => {
    check(reach(from, false).current, how, false, ENDINGS_TV1[from][how])
  })

  test.each(cells)('since KIP-890, $from: $how', ({ from, how }) => {
    check(reach(from, true).current, how, true, ENDINGS_TV2[from][how])
  })

  test.each(cells)('since KIP-890, asked again because the answer was lost, $from: $how', ({ from, how }) => {
    check(reach(from, true).before, how, true, ENDINGS_TV2_REPEATED[from][how])
  })

  test('begins the next one with another id when there is no epoch left', () => {
    const producer = initialize()
    Object.assign(coordinator.find('tx')!, { producer: { ...producer, epoch: LAST_EPOCH } })
    const last = { ...producer, epoch: LAST_EPOCH }
    begin(last)
    const { producer: next } = coordinator.end('tx', last, true, true)
    expect(next).toEqual({ producerId: producer.producerId + 1, epoch: 0 })
    // The marker is from the one that wrote the records.
    expect(cluster.partition('orders', 0)!.log.producers.find(producer.producerId)).toMatchObject({
      epoch: LAST_EPOCH + 1,
    })
    expect(coordinator.end('tx', last, true, true)).toEqual({ errorCode: 0, producer: next })
  })
})

describe('a producer', () => {
  test('gets the next epoch of the same id, and the one before is fenced', () => {
    const first = initialize()
    const second = initialize()
    expect(second).toEqual({ producerId: first.producerId, epoch: 1 })
    expect(begin(first)).toBe(ERROR.PRODUCER_FENCED)
    expect(begin(second)).toBe(ERROR.NONE)
  })

  test('that comes while a transaction is open has it aborted, and asks again', () => {
    const first = initialize()
    begin(first)
    expect(coordinator.initialize('tx', 60_000, NO_PRODUCER)).toBe(ERROR.CONCURRENT_TRANSACTIONS)
    expect(state()).toBe('CompleteAbort')
    expect(coordinator.end('tx', first, true, false).errorCode).toBe(ERROR.PRODUCER_FENCED)
    expect(initialize().epoch).toBe(2)
  })

  test('that asks again with its epoch gets the next one, and the same one when the answer was lost', () => {
    const first = initialize()
    const second = initialize(first)
    expect(second.epoch).toBe(1)
    expect(initialize(first)).toEqual(second)
    initialize(second)
    expect(coordinator.initialize('tx', 60_000, first)).toBe(ERROR.PRODUCER_FENCED)
  })

  test.each([0, -1, 900_001])('must not ask for a timeout of %i ms', (timeout) => {
    expect(coordinator.initialize('tx', timeout, NO_PRODUCER)).toBe(ERROR.INVALID_TRANSACTION_TIMEOUT)
  })

  test('of another id is not the one that the transactional id has', () => {
    const { producerId, epoch } = initialize()
    expect(begin({ producerId: producerId + 7, epoch })).toBe(ERROR.INVALID_PRODUCER_ID_MAPPING)
    expect(coordinator.addPartitions('other', { producerId, epoch }, [])).toBe(ERROR.INVALID_PRODUCER_ID_MAPPING)
  })

  test('that lets its transaction time out is fenced', async () => {
    const producer = coordinator.initialize('tx', 5, NO_PRODUCER) as ProducerIdentity
    begin(producer)
    await expect.poll(state).toBe('CompleteAbort')
    expect(begin(producer)).toBe(ERROR.PRODUCER_FENCED)
  })
})
