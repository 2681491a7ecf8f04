import { describe, expect, test } from 'vitest'
import type { GroupOffsets } from '../../src/contracts/offsets.ts'
import type { SinkTransactions } from '../../src/contracts/sink.ts'
import { countedTransactions } from '../../src/engine/breaker.ts'
import { AbortedError, BrokerError, ConnectionError, DeliveryError, TransactionError } from '../../src/errors/index.ts'
import { CircuitBreaker } from '../../src/resilience/circuit-breaker.ts'

const OFFSETS: GroupOffsets = {
  groupId: 'g',
  offsets: [],
  member: () => undefined,
  awaitGeneration: () => Promise.resolve(),
}
const never = new AbortController().signal
const gone = new ConnectionError('BROKER_UNREACHABLE', 'no broker answers')
const loading = new BrokerError('loading', {
  kafkaCode: 14,
  kafkaName: 'COORDINATOR_LOAD_IN_PROGRESS',
  retriable: true,
})
const fenced = new TransactionError('fenced', { fatal: true })
const stopped = new AbortedError('Committing')

/** Transactions that fail with what they are given. */
const failing = (error?: Error): SinkTransactions => ({
  renewable: true,
  async commit(offsets) {
    const taken = await offsets()
    if (error !== undefined) throw error
    return taken
  },
  async abort() {
    if (error !== undefined) throw error
    return 'aborted'
  },
})

const breakerOf = (failureThreshold: number): CircuitBreaker =>
  new CircuitBreaker({ failureThreshold, openMs: 60_000, name: 'The sink' })

describe('transactions count for the circuit breaker of their sink', () => {
  const offsets = (): Promise<GroupOffsets> => Promise.resolve(OFFSETS)
  const unwritten = (): Promise<GroupOffsets> =>
    Promise.reject(new DeliveryError('timed out', { code: 'DELIVERY_TIMED_OUT' }))
  test.each([
    { call: 'commit', failure: gone, openings: 1, what: 'no broker answers' },
    { call: 'commit', failure: loading, openings: 1, what: 'the coordinator is not ready in time' },
    { call: 'commit', failure: fenced, openings: 0, what: 'the producer was fenced' },
    { call: 'commit', failure: stopped, openings: 0, what: 'it was stopped' },
    { call: 'commit', failure: undefined, openings: 0, what: 'nothing fails' },
    { call: 'commit of what could not be written', failure: undefined, openings: 0, what: 'a write had failed' },
    { call: 'abort', failure: gone, openings: 1, what: 'no broker answers' },
    { call: 'abort', failure: fenced, openings: 0, what: 'the producer was fenced' },
    { call: 'abort', failure: undefined, openings: 0, what: 'nothing fails' },
  ])('$call, $what: $openings', async ({ call, failure, openings }) => {
    const breaker = breakerOf(1)
    const transactions = countedTransactions(failing(failure), breaker)
    const asked =
      call === 'abort' ? transactions.abort(never) : transactions.commit(call === 'commit' ? offsets : unwritten, never)
    await asked.catch(() => {})
    expect(breaker.progress).toMatchObject({ openings, state: openings === 0 ? 'closed' : 'open' })
  })

  test('a commit that succeeds forgets the failures before it, an abort does not', async () => {
    const breaker = breakerOf(3)
    const fails = countedTransactions(failing(gone), breaker)
    const succeeds = countedTransactions(failing(), breaker)
    const fail = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) await fails.commit(offsets, never).catch(() => {})
    }
    await fail(2)
    await succeeds.commit(offsets, never)
    await fail(2)
    expect(breaker.progress.state).toBe('closed')
    await succeeds.abort(never)
    await fail(1)
    expect(breaker.progress.state).toBe('open')
  })

  test('neither waits for an open circuit nor closes it: the next records probe', async () => {
    const breaker = breakerOf(1)
    breaker.enter().failed()
    const transactions = countedTransactions(failing(), breaker)
    await transactions.abort(never)
    expect(await transactions.commit(offsets, never)).toBe(OFFSETS)
    expect(breaker.progress).toEqual({ state: 'open', openings: 1, rejections: 0 })
  })
})
