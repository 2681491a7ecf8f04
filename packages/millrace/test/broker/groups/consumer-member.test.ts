/** What members of the consumer protocol (KIP-848) are answered: rules in which random scripts found Apache Kafka to be stricter, or milder. */
import { describe, expect, test } from 'vitest'
import { ERROR } from '../../../src/protocol/error-codes.ts'
import { consumerGroupDescribeApi } from '../../../src/protocol/messages/consumer-group-describe.ts'
import { offsetCommitApi } from '../../../src/protocol/messages/offset-commit.ts'
import { offsetFetchApi } from '../../../src/protocol/messages/offset-fetch.ts'
import { memberBed, type MemberBed } from '../../support/consumer-members.ts'

const bed = memberBed()

const beat: MemberBed['beat'] = (...request) => bed().beat(...request)

async function describeGroup(groupId: string) {
  return (
    await bed().client.request(consumerGroupDescribeApi, 1, { groupIds: [groupId], includeAuthorizedOperations: false })
  ).groups[0]!
}

async function commit(version: number, groupId: string, memberId: string, epoch: number): Promise<number> {
  const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }]
  const request = { groupId, memberId, generationIdOrMemberEpoch: epoch, topics }
  return (await bed().client.request(offsetCommitApi, version, request)).topics[0]!.partitions[0]!.errorCode
}

describe('a member that joins', () => {
  test('needs no topic, and is refused when it names neither topics nor a pattern', async () => {
    expect(await beat('no-topic', 'a', 0, { subscribedTopicNames: [] })).toMatchObject({ errorCode: 0 })
    const nothing = { subscribedTopicNames: null, subscribedTopicRegex: null }
    expect((await beat('no-topic', 'a', 0, nothing)).errorCode).toBe(ERROR.INVALID_REQUEST)
    expect((await beat('no-topic', 'a', 0, { rackId: '' })).errorCode).toBe(ERROR.INVALID_REQUEST)
  })

  test('does not take its own instance id twice', async () => {
    expect((await beat('twice', 'a', 0, { instanceId: 'one' })).errorCode).toBe(0)
    expect((await beat('twice', 'a', 0, { instanceId: 'one' })).errorCode).toBe(ERROR.UNRELEASED_INSTANCE_ID)
  })

  test('begins no epoch when only its assignor has changed', async () => {
    const { memberEpoch } = await beat('assignor', 'a', 0, { serverAssignor: 'range' })
    expect((await beat('assignor', 'a', 0, { serverAssignor: 'uniform' })).memberEpoch).toBe(memberEpoch)
  })

  test('is asked about its pattern after its group and its epoch, and creates no group with a wrong one', async () => {
    const wrong = { subscribedTopicRegex: '(' }
    expect((await beat('pattern', 'a', 0, wrong)).errorCode).toBe(ERROR.INVALID_REGULAR_EXPRESSION)
    expect((await describeGroup('pattern')).errorCode).toBe(ERROR.GROUP_ID_NOT_FOUND)
    expect((await beat('pattern', 'a', 3, wrong)).errorCode).toBe(ERROR.GROUP_ID_NOT_FOUND)
    await beat('pattern', 'a', 0)
    expect((await beat('pattern', 'a', 9, wrong)).errorCode).toBe(ERROR.FENCED_MEMBER_EPOCH)
  })
})

describe('a member that leaves', () => {
  test('leaves the next assignment to the next heartbeat of another', async () => {
    await beat('leaves', 'a', 0)
    const { memberEpoch } = await beat('leaves', 'b', 0)
    await beat('leaves', 'a', -1)
    const left = { groupState: 'Assigning', groupEpoch: memberEpoch + 1, assignmentEpoch: memberEpoch }
    expect(await describeGroup('leaves')).toMatchObject(left)
    expect((await beat('leaves', 'b', memberEpoch)).assignment!.topicPartitions[0]!.partitions).toHaveLength(4)
    expect(await describeGroup('leaves')).toMatchObject({ groupState: 'Stable', assignmentEpoch: memberEpoch + 1 })
  })

  test('has no epoch after leaving to come back, and holds nothing that it had to give up', async () => {
    const instance = { instanceId: 'one' }
    const { memberEpoch } = await beat('away', 'a', 0, instance)
    await beat('away', 'b', 0)
    const owned = [{ topicId: bed().topicId, partitions: [0, 1, 2, 3] }]
    expect((await beat('away', 'a', memberEpoch, { ...instance, topicPartitions: owned })).errorCode).toBe(0)
    const held = async () => {
      const member = (await describeGroup('away')).members.find(({ memberId }) => memberId === 'a')!
      return { epoch: member.memberEpoch, partitions: member.assignment.topicPartitions[0]!.partitions.length }
    }
    expect(await held()).toEqual({ epoch: memberEpoch, partitions: 4 })
    await beat('away', 'a', -2, instance)
    expect(await held()).toEqual({ epoch: -2, partitions: 2 })
    expect((await describeGroup('away')).groupState).toBe('Reconciling')
    expect((await beat('away', 'a', memberEpoch, instance)).errorCode).toBe(ERROR.FENCED_MEMBER_EPOCH)
  })
})

describe('offsets of a member', () => {
  test('are committed with version 9 or newer, which also says that there is no group', async () => {
    expect(await commit(8, 'no-group', 'a', 2)).toBe(ERROR.ILLEGAL_GENERATION)
    expect(await commit(9, 'no-group', 'a', 2)).toBe(ERROR.GROUP_ID_NOT_FOUND)
    const { memberEpoch } = await beat('commits', 'a', 0)
    expect(await commit(8, 'commits', 'a', memberEpoch)).toBe(ERROR.UNSUPPORTED_VERSION)
    expect(await commit(9, 'commits', 'a', memberEpoch)).toBe(0)
  })

  test('are fetched by members only, also while there are none', async () => {
    await beat('fetches', 'a', 0)
    await beat('fetches', 'a', -1)
    const fetch = async (memberId: string | null) => {
      const topics = [{ name: 'orders', partitionIndexes: [0] }]
      const groups = [{ groupId: 'fetches', memberId, memberEpoch: -1, topics }]
      return (await bed().client.request(offsetFetchApi, 9, { groups, requireStable: false })).groups[0]!.errorCode
    }
    expect([await fetch('b'), await fetch(null)]).toEqual([ERROR.UNKNOWN_MEMBER_ID, 0])
  })
})

test('a group is described with an empty pattern where a member has none', async () => {
  await beat('described', 'a', 0)
  expect((await describeGroup('described')).members[0]!.subscribedTopicRegex).toBe('')
})
