import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { GroupOffsets, SourceOffsets } from '../../src/contracts/offsets.ts'
import type { Acknowledgement, Batch } from '../../src/records/batch.ts'
import { Pace } from '../../src/resilience/pace.ts'
import { TransactionalRun } from '../../src/engine/transactional-run.ts'
import { AbortedError, ConfigError, DeliveryError, TransactionError } from '../../src/errors/index.ts'
import { batchOfDocuments } from '../support/batches.ts'

const NO_OFFSETS: GroupOffsets = {
  groupId: 'g',
  offsets: [],
  member: () => undefined,
  awaitGeneration: () => Promise.resolve(),
}

test('what is late learns that its attempt is over before the next transaction begins (I5)', async () => {
  const happened: string[] = []
  const offsets: SourceOffsets = {
    member: undefined,
    taken: () => NO_OFFSETS,
    committed: () => {},
    rewind: () => Promise.resolve(),
    onRelease: () => {},
    commitBefore: () => Promise.resolve(true),
  }
  const source = {
    offsets,
    async *batches(): AsyncGenerator<Batch> {
      yield batchOfDocuments([{ n: 'late' }])
      yield batchOfDocuments([{ n: 'fails' }])
    },
  }
  const transactions = {
    renewable: false,
    commit: (ask: () => Promise<GroupOffsets>) => (happened.push('commit'), ask()),
    abort: () => (happened.push('abort'), Promise.resolve('aborted' as const)),
  }
  let attempts = 0
  const begin = (batch: Batch, over: AbortSignal) => async (): Promise<void> => {
    const { n } = JSON.parse(String(batch.value(0))) as { readonly n: string }
    if (n === 'late') attempts++
    if (attempts > 1) return
    if (n === 'fails') throw new TransactionError('The leader is gone', { fatal: false })
    over.addEventListener('abort', () => happened.push('over'), { once: true })
    await new Promise(() => {})
  }
  const never = new AbortController().signal
  const ended = await new TransactionalRun(
    { name: 'test', commitIntervalMs: 60_000 },
    { signal: never, abort: never, warn: () => {} },
    { source, sink: { transactions }, stages: { list: [], exhausted: false } },
    { begin, inSteps: false, pace: new Pace() },
    1_000_000,
  ).run()
  expect(ended).toBe('source')
  expect(happened).toEqual(['over', 'abort', 'commit'])
})

// A batch that was dropped while a commit was under way became part of it, though $skip had counted it after that.
test('a batch that is dropped while a transaction is being committed belongs to the next one (I5)', async () => {
  const acknowledged: number[] = []
  const commits: (readonly number[])[] = []
  const committing = Promise.withResolvers<void>()
  const dropped = Promise.withResolvers<void>()
  const offsetsUpTo = (list: readonly number[]): GroupOffsets => ({
    ...NO_OFFSETS,
    offsets: list.map((offset) => ({ topic: 't', partition: 0, offset })),
  })
  const offsets: SourceOffsets = {
    member: undefined,
    taken: () => offsetsUpTo(acknowledged),
    committed: () => {},
    rewind: () => Promise.resolve(),
    onRelease: () => {},
    commitBefore: () => Promise.resolve(true),
  }
  const batchAt = (n: number): Batch => batchOfDocuments([{ n }]).derive({}, { ack: () => void acknowledged.push(n) })
  const source = {
    offsets,
    async *batches(): AsyncGenerator<Batch> {
      yield batchAt(1)
      await committing.promise
      yield batchAt(2)
      dropped.resolve()
    },
  }
  const transactions = {
    renewable: false,
    async commit(ask: () => Promise<GroupOffsets>) {
      committing.resolve()
      await dropped.promise
      const taken = await ask()
      commits.push(taken.offsets.map(({ offset }) => offset))
      acknowledged.length = 0
      return taken
    },
    abort: () => Promise.resolve('aborted' as const),
  }
  const never = new AbortController().signal
  await new TransactionalRun(
    { name: 'test', commitIntervalMs: 1 },
    { signal: never, abort: never, warn: () => {} },
    { source, sink: { transactions }, stages: { list: [], exhausted: false } },
    {
      begin: (batch) => (String(batch.value(0)) === '{"n":1}' ? () => Promise.resolve() : undefined),
      inSteps: false,
      pace: new Pace(),
    },
    1_000_000,
  ).run()
  expect(commits).toEqual([[1], [2]])
})

// The committed offsets may wait for a transaction of somebody else, which hangs when the brokers have lost its end (KAFKA-20734).
test('a run that is asked to stop does not wait for the committed offsets, and commits nothing of the aborted attempt', async () => {
  const stop = new AbortController()
  const happened: string[] = []
  const offsets: SourceOffsets = {
    member: undefined,
    taken: () => NO_OFFSETS,
    committed: () => {},
    rewind: (signal) =>
      new Promise((_, reject) => {
        happened.push('rewind')
        signal.addEventListener('abort', () => reject(new AbortedError('Waiting')), { once: true })
        stop.abort()
      }),
    onRelease: () => {},
    commitBefore: () => Promise.resolve(true),
  }
  const source = {
    offsets,
    async *batches(): AsyncGenerator<Batch> {
      yield batchOfDocuments([{ n: 1 }])
    },
  }
  const transactions = {
    renewable: false,
    commit: (ask: () => Promise<GroupOffsets>) => (happened.push('commit'), ask()),
    abort: () => (happened.push('abort'), Promise.resolve('aborted' as const)),
  }
  const ended = await new TransactionalRun(
    { name: 'test', commitIntervalMs: 60_000 },
    { signal: stop.signal, abort: new AbortController().signal, warn: () => {} },
    { source, sink: { transactions }, stages: { list: [], exhausted: false } },
    {
      begin: () => () => Promise.reject(new TransactionError('The leader is gone', { fatal: false })),
      inSteps: true,
      pace: new Pace(),
    },
    1_000_000,
  ).run()
  expect(ended).toBe('signal')
  expect(happened).toEqual(['abort', 'rewind'])
})

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0)

/** Runs 300 rows through transactions that a coordinator aborts when they take longer than 200 ms. @returns how many rows each had */
async function runWithTimeout(
  begin: (batch: Batch) => (() => Promise<void>) | undefined,
  waits: boolean,
): Promise<number[]> {
  const perTransaction: number[] = []
  let rows = 0
  const acknowledged: number[] = []
  const offsets: SourceOffsets = {
    member: undefined,
    taken: () => NO_OFFSETS,
    committed: () => {},
    rewind: () => Promise.resolve(),
    onRelease: () => {},
    commitBefore: () => Promise.resolve(true),
  }
  const acknowledgement = (count: number): Acknowledgement => ({
    ack: () => void acknowledged.push(count),
    split: (offset) => [acknowledgement(offset), acknowledgement(300)],
  })
  const source = {
    offsets,
    async *batches(): AsyncGenerator<Batch> {
      yield batchOfDocuments(Array.from({ length: 300 }, (_, n) => ({ n }))).derive({}, acknowledgement(300))
    },
  }
  const transactions = {
    renewable: false,
    timeoutMs: 200,
    async commit(ask: () => Promise<GroupOffsets>) {
      perTransaction.push(rows)
      rows = 0
      return ask()
    },
    abort: () => Promise.resolve('aborted' as const),
  }
  const never = new AbortController().signal
  await new TransactionalRun(
    { name: 'test', commitIntervalMs: 20 },
    { signal: never, abort: never, warn: () => {} },
    { source, sink: { transactions }, stages: { list: [], exhausted: false } },
    {
      begin: (batch) => {
        rows += batch.length
        return begin(batch)
      },
      inSteps: waits,
      waits,
      pace: new Pace(),
    },
    1_000_000,
  ).run()
  return perTransaction
}

// A batch had one offset for all of its slices, so that no commit came between them: it was aborted and read again for ever (K14).
test('a transaction is committed between the slices of a batch whose stages are slow', async () => {
  const perTransaction = await runWithTimeout((batch) => {
    const until = performance.now() + 3 * batch.length
    while (performance.now() < until);
    return () => Promise.resolve()
  }, false)
  expect(sum(perTransaction)).toBe(300)
  expect(perTransaction.length).toBeGreaterThan(3)
})

// Everything that had been read was begun at once, and had to end before the commit.
test('work that waits is begun for as many rows as a transaction has time for', async () => {
  let last: Promise<unknown> = Promise.resolve()
  const perTransaction = await runWithTimeout((batch) => {
    return () => {
      const done = last.then(() => sleep(3 * batch.length))
      last = done
      return done
    }
  }, true)
  expect(sum(perTransaction)).toBe(300)
  expect(perTransaction[0]).toBe(16)
  expect(Math.max(...perTransaction)).toBeLessThanOrEqual(32)
})

test.each([
  {
    name: 'says what to set',
    error: new TransactionError('The producer was fenced', { fatal: true }),
    says: /raise transaction\.timeout\.ms/,
  },
  {
    name: 'reports what ended it when that is not the reason',
    error: new DeliveryError('The disk is full', { code: 'DELIVERY_FAILED', cause: new ConfigError('no') }),
    says: /^The disk is full$/,
  },
])('a run whose transaction was open for longer than its timeout $name', async ({ error, says }) => {
  const offsets: SourceOffsets = {
    member: undefined,
    taken: () => NO_OFFSETS,
    committed: () => {},
    rewind: () => Promise.resolve(),
    onRelease: () => {},
    commitBefore: () => Promise.resolve(true),
  }
  const source = {
    offsets,
    async *batches(): AsyncGenerator<Batch> {
      yield batchOfDocuments([{ n: 1 }])
    },
  }
  const transactions = {
    renewable: false,
    timeoutMs: 20,
    commit: (ask: () => Promise<GroupOffsets>) => ask(),
    abort: () => Promise.resolve('aborted' as const),
  }
  const never = new AbortController().signal
  const begin = () => (): Promise<void> => sleep(30).then(() => Promise.reject(error))
  const run = new TransactionalRun(
    { name: 'test' },
    { signal: never, abort: never, warn: () => {} },
    { source, sink: { transactions }, stages: { list: [], exhausted: false } },
    { begin, inSteps: true, waits: true, pace: new Pace() },
    1_000_000,
  ).run()
  await expect(run).rejects.toThrow(says)
})
