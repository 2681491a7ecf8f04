import { expect, test } from 'vitest'
import type { Batch } from '../../src/batch.ts'
import type { GroupOffsets, SourceOffsets } from '../../src/component.ts'
import { ExactlyOnce } from '../../src/engine/exactly-once.ts'
import { TransactionError } from '../../src/errors/index.ts'
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
    abort: () => (happened.push('abort'), Promise.resolve()),
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
  const ended = await new ExactlyOnce(
    { name: 'test', commitIntervalMs: 60_000 },
    { signal: never, abort: never, warn: () => {} },
    { source, sink: { transactions }, stages: { list: [], exhausted: false } },
    { begin, inSteps: false },
    1_000_000,
  ).run()
  expect(ended).toBe('source')
  expect(happened).toEqual(['over', 'abort', 'commit'])
})
