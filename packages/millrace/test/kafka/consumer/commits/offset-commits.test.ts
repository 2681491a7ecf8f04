import { describe, expect, test } from 'vitest'
import { OffsetCommits } from '../../../../src/kafka/consumer/commits/offset-commits.ts'
import { OffsetLedger } from '../../../../src/kafka/consumer/commits/offset-ledger.ts'
import type { CommitResult, OffsetToCommit } from '../../../../src/kafka/group/contract.ts'
import type { GroupSession } from '../../../../src/kafka/group/session.ts'

/** A group that refuses what lies in these partitions. */
function commitsOf(reasons: ReadonlyMap<number, CommitResult['refused'][0]['reason']>): OffsetCommits {
  const ledger = new OffsetLedger()
  for (const partition of [0, 1, 2]) {
    ledger.assign('t', partition, 10)
    ledger.track('t', partition, 10, 19).ack()
  }
  const session = {
    async commit(offsets: readonly OffsetToCommit[]): Promise<CommitResult> {
      return {
        committed: offsets.filter(({ partition }) => !reasons.has(partition)),
        refused: offsets.flatMap((each) => {
          const reason = reasons.get(each.partition)
          return reason === undefined ? [] : [{ ...each, reason }]
        }),
      }
    },
  } as unknown as GroupSession
  return new OffsetCommits(
    ledger,
    session,
    'manual',
    () => {},
    () => {},
  )
}

// It was tried again for ever, in one turn of the event loop: the process hung, and heard no signal.
test('a part of a topic that is created again does not count as committed before it is delivered', async () => {
  const ledger = new OffsetLedger()
  ledger.assign('t', 0, 10)
  let asked = 0
  const session = {
    async commit(offsets: readonly OffsetToCommit[]): Promise<CommitResult> {
      if (++asked > 3) throw new Error('asked again')
      return { committed: [], refused: offsets.map((each) => ({ ...each, reason: 'topic unknown' as const })) }
    },
  } as unknown as GroupSession
  const commits = new OffsetCommits(
    ledger,
    session,
    'manual',
    () => {},
    () => {},
  )
  const acknowledgement = ledger.track('t', 0, 10, 19)
  expect(await commits.commitBefore({ topic: 't', partition: 0, acknowledgement, nextOffset: 20n })).toBe(false)
  expect(asked).toBe(1)
})

// `commit` and `checkpoint` resolved although the broker had refused: the caller believed that its records were done.
describe('a commit that the group refuses', () => {
  test.each([
    { reason: 'not owned', says: 'another member', retriable: false, kafkaName: 'UNKNOWN_MEMBER_ID' },
    { reason: 'rebalance', says: 'commit again', retriable: true, kafkaName: 'REBALANCE_IN_PROGRESS' },
    { reason: 'topic unknown', says: 'does not exist', retriable: false, kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' },
  ] as const)('fails: $reason', async ({ reason, says, retriable, kafkaName }) => {
    const commits = commitsOf(new Map([[1, reason]]))
    await expect(commits.commit()).rejects.toMatchObject({
      code: 'COMMIT_REFUSED',
      message: expect.stringMatching(new RegExp(`^Cannot commit offset 20 of partition 1 of topic "t" as .*${says}`)),
      topic: 't',
      partition: 1,
      retriable,
      kafkaName,
    })
    // The others are committed all the same.
    expect(commits.count).toBe(1)
  })

  test('fails once for all', async () => {
    const commits = commitsOf(new Map([0, 1, 2].map((partition) => [partition, 'rebalance'])))
    await expect(commits.commit()).rejects.toThrow('of partition 0 of topic "t", and 2 more, as')
  })

  test('is a result for callers that go on in either way', async () => {
    const refused = await commitsOf(new Map([[2, 'not owned']])).attempt()
    expect(refused).toMatchObject([{ partition: 2, offset: 20, reason: 'not owned' }])
  })
})
