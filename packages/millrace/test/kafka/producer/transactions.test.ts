import { describe, expect, test } from 'vitest'
import { AbortedError, type MillraceError } from '../../../src/errors/index.ts'
import { Transactions } from '../../../src/kafka/producer/transactions.ts'
import { EmulatedCoordinator, type Fault } from '../../support/emulated-coordinator.ts'

const DESTINATION = { index: 0, topic: 't', partition: 0 }
const VERSIONS = [1, 2] as const

class Writer {
  readonly coordinator: EmulatedCoordinator
  readonly transactions: Transactions
  readonly failures: MillraceError[] = []
  #number = 0

  private constructor(version: 1 | 2) {
    this.coordinator = new EmulatedCoordinator(version)
    this.transactions = new Transactions(
      this.coordinator,
      { transactionalId: 'tx', timeoutMs: 60_000 },
      { onReady: () => {}, onFailed: (error) => this.failures.push(error) },
    )
  }

  static async open(version: 1 | 2): Promise<Writer> {
    const writer = new Writer(version)
    await writer.transactions.acquire()
    return writer
  }

  /** Begins a transaction with one partition, which version 2 adds as it writes. */
  async begin(): Promise<void> {
    this.transactions.begin(++this.#number)
    this.transactions.admits(DESTINATION, this.#number)
    await expect.poll(() => this.transactions.admits(DESTINATION, this.#number)).toBe(true)
    this.coordinator.state = 'Ongoing'
  }

  fault(name: string, ...faults: Fault[]): void {
    this.coordinator.faults.set(name, faults)
  }

  /** Everything lost until the time of the operation is over. */
  outage(name: string, fault: Fault): void {
    this.fault(name, ...Array.from({ length: 1000 }, () => fault))
  }

  /** What the coordinator was asked for since this was read last. */
  get asked(): string[] {
    return this.coordinator.done.splice(0)
  }
}

// After a commit that was given up, the next abort asked the coordinator to commit, and resolved: the program wrote everything again.
describe.each(VERSIONS)('after a commit that failed, with version %i, an abort', (version) => {
  test('aborts when the coordinator could not be reached', async () => {
    const writer = await Writer.open(version)
    await writer.begin()
    writer.outage('EndTxn', 'unreachable')
    await expect(writer.transactions.commit(undefined)).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
    expect(writer.transactions.state).toBe('doomed')
    writer.fault('EndTxn')
    expect(await writer.transactions.abort()).toBe('aborted')
    expect(writer.coordinator.state).toBe('CompleteAbort')
  })

  test('aborts when the commit was given up before it was sent', async () => {
    const writer = await Writer.open(version)
    await writer.begin()
    await expect(writer.transactions.commit(undefined, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
    expect(writer.transactions.state).toBe('doomed')
    expect(await writer.transactions.abort()).toBe('aborted')
    expect(writer.coordinator.state).toBe('CompleteAbort')
  })

  test('aborts when the coordinator never heard of the commit', async () => {
    const writer = await Writer.open(version)
    await writer.begin()
    writer.outage('EndTxn', 'request lost')
    await expect(writer.transactions.commit(undefined)).rejects.toMatchObject({ code: 'BROKER_DISCONNECTED' })
    expect(writer.transactions.state).toBe('unknown')
    writer.fault('EndTxn')
    writer.coordinator.done.length = 0
    expect(await writer.transactions.abort()).toBe('aborted')
    expect(writer.asked).not.toContain('commit')
    expect(writer.coordinator.state).toBe('CompleteAbort')
    expect(writer.transactions.state).toBe('ready')
  })

  test('finds out that it was committed when only the response was lost, and the next transaction continues', async () => {
    const writer = await Writer.open(version)
    await writer.begin()
    writer.outage('EndTxn', 'answer lost')
    await expect(writer.transactions.commit(undefined)).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
    writer.fault('EndTxn', 'request lost', 'answer lost')
    expect(await writer.transactions.abort()).toBe('committed')
    expect(writer.coordinator.state).toBe('CompleteCommit')
    await writer.begin()
    await writer.transactions.commit(undefined)
    expect(writer.transactions.state).toBe('ready')
  })

  test('that is not answered either can be called again, and finds out', async () => {
    const writer = await Writer.open(version)
    await writer.begin()
    writer.outage('EndTxn', 'answer lost')
    await expect(writer.transactions.commit(undefined)).rejects.toThrow(/No answer/)
    await expect(writer.transactions.abort()).rejects.toThrow(/No answer/)
    expect(writer.transactions.state).toBe('unknown')
    writer.fault('EndTxn')
    expect(await writer.transactions.abort()).toBe('committed')
  })

  test('a commit whose first answer was lost is repeated', async () => {
    const writer = await Writer.open(version)
    await writer.begin()
    writer.fault('EndTxn', 'answer lost')
    await writer.transactions.commit(undefined)
    expect(writer.coordinator.state).toBe('CompleteCommit')
  })
})

// The first copy of a commit came late, ended the transaction after it, and what that wrote was lost or half committed.
describe('with version 1, the transaction after', () => {
  test.each([
    { request: 'EndTxn', fault: 'answer lost' },
    { request: 'EndTxn', fault: 'request lost' },
    { request: 'AddPartitionsToTxn', fault: 'answer lost' },
  ] as const)('a $request ($fault) has another epoch, so that a late copy is refused', async ({ request, fault }) => {
    const writer = await Writer.open(1)
    writer.fault(request, fault)
    await writer.begin()
    await writer.transactions.commit(undefined)
    const { epoch } = writer.coordinator
    await writer.begin()
    expect(writer.coordinator.epoch).toBe(epoch + 1)
    await writer.transactions.commit(undefined)
    await writer.begin()
    expect(writer.coordinator.epoch).toBe(epoch + 1)
  })

  test('requests that were all answered has the same epoch, which costs no request', async () => {
    const writer = await Writer.open(1)
    for (let i = 0; i < 2; i++) {
      await writer.begin()
      await writer.transactions.commit(undefined)
    }
    expect(writer.asked.filter((name) => name !== 'add')).toEqual(['init', 'commit', 'commit'])
    expect(writer.coordinator.epoch).toBe(0)
  })

  test('one that was found to be committed has another epoch', async () => {
    const writer = await Writer.open(1)
    await writer.begin()
    writer.outage('EndTxn', 'answer lost')
    await expect(writer.transactions.commit(undefined)).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
    writer.fault('EndTxn')
    expect(await writer.transactions.abort()).toBe('committed')
    const { epoch } = writer.coordinator
    await writer.begin()
    expect(writer.coordinator.epoch).toBe(epoch + 1)
  })
})

describe('an abort', () => {
  // It waited for AddPartitionsToTxn, which was tried for as long as an operation may take.
  test('does not wait for partitions that are being added', async () => {
    const writer = await Writer.open(1)
    writer.outage('AddPartitionsToTxn', 'hangs')
    writer.transactions.begin(1)
    writer.transactions.admits(DESTINATION, 1)
    await Promise.resolve()
    expect(await writer.transactions.abort(AbortSignal.timeout(1000))).toBe('aborted')
  })

  // The next abort ended the transaction under an epoch that was an old one by then: PRODUCER_FENCED, though nobody had taken over.
  test('continues when the response to the previous InitProducerId was lost', async () => {
    const writer = await Writer.open(1)
    await writer.begin()
    writer.outage('InitProducerId', 'answer lost')
    await expect(writer.transactions.abort()).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
    expect(writer.transactions.state).toBe('unknown')
    writer.fault('InitProducerId')
    expect(await writer.transactions.abort()).toBe('aborted')
    await writer.begin()
    await writer.transactions.commit(undefined)
    expect(writer.coordinator.state).toBe('CompleteCommit')
  })

  // It ended the producer for good, and a named run that was idle for a week with it.
  test.each(VERSIONS)('gets a new id when the coordinator has forgotten the name (version %i)', async (version) => {
    const writer = await Writer.open(version)
    writer.coordinator.forget()
    await writer.begin()
    await expect(writer.transactions.commit(undefined)).rejects.toMatchObject({
      code: 'TRANSACTION_FAILED',
      fatal: false,
    })
    expect(await writer.transactions.abort()).toBe('aborted')
    expect(writer.transactions.identityAfter()?.id).toBe(writer.coordinator.id)
    await writer.begin()
    await writer.transactions.commit(undefined)
    expect(writer.coordinator.state).toBe('CompleteCommit')
  })
})

test('a commit that was given up before anything was asked of the coordinator leaves nothing that can be committed', async () => {
  const writer = await Writer.open(2)
  await writer.begin()
  writer.transactions.doom(new AbortedError('Committing'))
  await expect(writer.transactions.commit(undefined)).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
  expect(await writer.transactions.abort()).toBe('aborted')
  expect(writer.coordinator.state).toBe('CompleteAbort')
})
