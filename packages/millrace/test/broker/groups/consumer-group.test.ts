/** Groups of the consumer protocol (KIP-848) over the wire. */
import { describe, expect, test } from 'vitest'
import { ERROR } from '../../../src/protocol/error-codes.ts'
import { joinGroupApi } from '../../../src/protocol/messages/join-group.ts'
import { offsetCommitApi } from '../../../src/protocol/messages/offset-commit.ts'
import { type Beat, memberBed } from '../../support/consumer-members.ts'

const bed = memberBed({ groups: { sessionTimeoutMs: 400 } })

async function beat(groupId: string, memberId: string, memberEpoch: number, rest: Beat = {}) {
  const answer = await bed().beat(groupId, memberId, memberEpoch, rest)
  const partitions = answer.assignment?.topicPartitions.flatMap((each) => each.partitions)
  return { errorCode: answer.errorCode, epoch: answer.memberEpoch, partitions }
}

const owns = (...partitions: number[]): Beat => ({
  topicPartitions: partitions.length === 0 ? [] : [{ topicId: bed().topicId, partitions }],
})

describe('a group of the consumer protocol', () => {
  test('hands partitions over one after the other: given up, then released, then taken', async () => {
    expect(await beat('handover', 'a', 0)).toEqual({ errorCode: 0, epoch: 2, partitions: [0, 1, 2, 3] })
    // The new member has to wait for what the first one holds.
    expect(await beat('handover', 'b', 0)).toEqual({ errorCode: 0, epoch: 3, partitions: [] })
    const revoked = await beat('handover', 'a', 2, owns(0, 1, 2, 3))
    expect(revoked).toMatchObject({ errorCode: 0, epoch: 2, partitions: { length: 2 } })
    expect((await beat('handover', 'b', 3)).partitions).toBeUndefined()
    expect(await beat('handover', 'a', 2, owns(...revoked.partitions!))).toMatchObject({ epoch: 3 })
    const taken = (await beat('handover', 'b', 3)).partitions!
    expect([...taken, ...revoked.partitions!].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
    expect(
      bed()
        .broker.groups()
        .find(({ id }) => id === 'handover'),
    ).toMatchObject({ kind: 'consumer', state: 'Stable' })
    expect(await beat('handover', 'b', -1)).toMatchObject({ errorCode: 0, epoch: -1 })
    expect((await beat('handover', 'a', 3)).partitions).toEqual(expect.arrayContaining([0, 1, 2, 3]))
  })

  test('takes a member that has not been heard of for a session out', async () => {
    await beat('silent', 'a', 0)
    await expect
      .poll(
        () =>
          bed()
            .broker.groups()
            .find(({ id }) => id === 'silent')!.state,
      )
      .toBe('Empty')
    expect((await beat('silent', 'a', 1)).errorCode).toBe(ERROR.UNKNOWN_MEMBER_ID)
  })

  test('fences an epoch that is not its own, except the one before when the answer was lost', async () => {
    const { epoch } = await beat('epochs', 'a', 0)
    await beat('epochs', 'b', 0)
    await beat('epochs', 'a', epoch, owns(0, 1, 2, 3))
    const { partitions } = await beat('epochs', 'a', epoch, owns())
    expect((await beat('epochs', 'a', epoch, owns(...(partitions ?? [])))).errorCode).toBe(0)
    expect((await beat('epochs', 'a', 99)).errorCode).toBe(ERROR.FENCED_MEMBER_EPOCH)
  })

  test('keeps the partitions of a static member that leaves to come back, and fences no other', async () => {
    const instance = { instanceId: 'one' }
    const { partitions } = await beat('static', 'a', 0, instance)
    expect((await beat('static', 'b', 0, instance)).errorCode).toBe(ERROR.UNRELEASED_INSTANCE_ID)
    expect(await beat('static', 'a', -2, instance)).toMatchObject({ errorCode: 0, epoch: -2 })
    expect(await beat('static', 'b', 0, instance)).toMatchObject({ errorCode: 0, partitions })
    expect((await beat('static', 'a', 1, instance)).errorCode).toBe(ERROR.FENCED_INSTANCE_ID)
  })

  test('subscribes to topics by a pattern, also to those that are created later', async () => {
    bed().broker.createTopic('pattern-1', 1)
    const pattern = { subscribedTopicNames: null, subscribedTopicRegex: 'pattern-.*' }
    await beat('patterns', 'a', 0, pattern)
    await expect.poll(() => beat('patterns', 'a', 1)).toEqual({ errorCode: 0, epoch: 2, partitions: [0] })
    bed().broker.createTopic('pattern-2', 2)
    expect((await beat('patterns', 'a', 2)).partitions).toEqual([0, 0, 1])
  })

  test('looks the topics of a new pattern up after the heartbeat that brings it', async () => {
    bed().broker.createTopic('later-1', 2)
    const pattern = { subscribedTopicRegex: 'later-.*' }
    expect(await beat('lookup', 'a', 0, pattern)).toEqual({ errorCode: 0, epoch: 2, partitions: [0, 1, 2, 3] })
    const both = { errorCode: 0, epoch: 3, partitions: { length: 6 } }
    await expect.poll(() => beat('lookup', 'a', 2)).toMatchObject(both)
    // Another member with the same pattern need not wait, and one without any topic changes nothing.
    expect((await beat('lookup', 'b', 0, { ...pattern, subscribedTopicNames: null })).epoch).toBe(4)
    expect((await beat('lookup', 'c', 0, { subscribedTopicNames: null, subscribedTopicRegex: 'no' })).epoch).toBe(4)
  })

  test('looks a pattern up again after its last member has left', async () => {
    bed().broker.createTopic('again-1', 1)
    const pattern = { subscribedTopicNames: null, subscribedTopicRegex: 'again-.*' }
    await beat('again', 'a', 0, pattern)
    await expect.poll(() => beat('again', 'a', 1)).toMatchObject({ partitions: [0] })
    await beat('again', 'a', -1)
    const { epoch, partitions } = await beat('again', 'b', 0, pattern)
    expect(partitions).toEqual([])
    await expect.poll(() => beat('again', 'b', epoch)).toMatchObject({ partitions: [0] })
  })

  test('repeats an assignment to a member that sends everything, and to no other', async () => {
    const { epoch, partitions } = await beat('full', 'a', 0)
    const names = { subscribedTopicNames: ['orders'] }
    const all = { rebalanceTimeoutMs: 60_000, ...owns(...partitions!) }
    expect((await beat('full', 'a', epoch, names)).partitions).toBeUndefined()
    expect((await beat('full', 'a', epoch, { ...names, ...owns(...partitions!) })).partitions).toBeUndefined()
    expect((await beat('full', 'a', epoch, { ...names, ...all })).partitions).toEqual(partitions)
    expect((await beat('full', 'a', epoch, { subscribedTopicRegex: '', ...all })).partitions).toEqual(partitions)
  })

  test('lets its members commit in their epoch only, and classic members not join', async () => {
    const { epoch } = await beat('commits', 'a', 0)
    const commit = async (memberId: string, generationIdOrMemberEpoch: number) => {
      const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }]
      const { topics } = await bed().client.request(offsetCommitApi, 9, {
        groupId: 'commits',
        memberId,
        generationIdOrMemberEpoch,
        topics: [{ name: 'orders', partitions }],
      })
      return topics[0]!.partitions[0]!.errorCode
    }
    expect([
      await commit('a', epoch),
      await commit('a', epoch + 1),
      await commit('x', epoch),
      await commit('', -1),
    ]).toEqual([0, ERROR.STALE_MEMBER_EPOCH, ERROR.UNKNOWN_MEMBER_ID, ERROR.UNKNOWN_MEMBER_ID])
    const join = {
      groupId: 'commits',
      sessionTimeoutMs: 10_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    }
    expect((await bed().client.request(joinGroupApi, 3, join)).errorCode).toBe(ERROR.INCONSISTENT_GROUP_PROTOCOL)
    await beat('commits', 'a', -1)
    expect((await bed().client.request(joinGroupApi, 3, join)).errorCode).toBe(0)
    expect(
      bed()
        .broker.groups()
        .find(({ id }) => id === 'commits'),
    ).toMatchObject({
      kind: 'classic',
      offsets: [{ offset: 1n }],
    })
  })

  test.each<{ name: string; epoch: number; rest: Beat; error: number }>([
    { name: 'without a subscription', epoch: 0, rest: { subscribedTopicNames: null }, error: ERROR.INVALID_REQUEST },
    { name: 'without a rebalance timeout', epoch: 0, rest: { rebalanceTimeoutMs: -1 }, error: ERROR.INVALID_REQUEST },
    {
      name: 'with partitions when it joins',
      epoch: 0,
      rest: { topicPartitions: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [0] }] },
      error: ERROR.INVALID_REQUEST,
    },
    {
      name: 'with an unknown assignor',
      epoch: 0,
      rest: { serverAssignor: 'other' },
      error: ERROR.UNSUPPORTED_ASSIGNOR,
    },
    {
      name: 'with a pattern that is none',
      epoch: 0,
      rest: { subscribedTopicRegex: '(' },
      error: ERROR.INVALID_REGULAR_EXPRESSION,
    },
    { name: 'of a group that there is not', epoch: 3, rest: { groupId: 'missing' }, error: ERROR.GROUP_ID_NOT_FOUND },
    {
      name: 'that leaves as a static member without an instance id',
      epoch: -2,
      rest: {},
      error: ERROR.INVALID_REQUEST,
    },
  ])('refuses a heartbeat $name', async ({ epoch, rest, error }) => {
    expect((await beat('refused', 'a', epoch, rest)).errorCode).toBe(error)
  })
})
