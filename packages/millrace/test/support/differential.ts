/**
 * Random scripts of requests, valid and invalid ones, that are sent to two brokers, whose answers are compared field by field.
 * A script is made from its seed alone; what a broker assigns by itself (ids of topics, members and producers) is kept per side.
 */
import type { Api } from '../../src/protocol/message.ts'
import { addOffsetsToTxnApi } from '../../src/protocol/messages/add-offsets-to-txn.ts'
import { addPartitionsToTxnApi } from '../../src/protocol/messages/add-partitions-to-txn.ts'
import { alterPartitionReassignmentsApi } from '../../src/protocol/messages/alter-partition-reassignments.ts'
import { alterReplicaLogDirsApi } from '../../src/protocol/messages/alter-replica-log-dirs.ts'
import { consumerGroupHeartbeatApi } from '../../src/protocol/messages/consumer-group-heartbeat.ts'
import { createPartitionsApi } from '../../src/protocol/messages/create-partitions.ts'
import { createTopicsApi } from '../../src/protocol/messages/create-topics.ts'
import { deleteGroupsApi } from '../../src/protocol/messages/delete-groups.ts'
import { deleteRecordsApi } from '../../src/protocol/messages/delete-records.ts'
import { describeGroupsApi } from '../../src/protocol/messages/describe-groups.ts'
import { describeProducersApi } from '../../src/protocol/messages/describe-producers.ts'
import { describeTransactionsApi } from '../../src/protocol/messages/describe-transactions.ts'
import { electLeadersApi } from '../../src/protocol/messages/elect-leaders.ts'
import { endTxnApi } from '../../src/protocol/messages/end-txn.ts'
import { ERROR } from '../../src/protocol/error-codes.ts'
import { fetchApi } from '../../src/protocol/messages/fetch.ts'
import { findCoordinatorApi } from '../../src/protocol/messages/find-coordinator.ts'
import { heartbeatApi } from '../../src/protocol/messages/heartbeat.ts'
import { incrementalAlterConfigsApi } from '../../src/protocol/messages/incremental-alter-configs.ts'
import { initProducerIdApi } from '../../src/protocol/messages/init-producer-id.ts'
import { joinGroupApi } from '../../src/protocol/messages/join-group.ts'
import { leaveGroupApi } from '../../src/protocol/messages/leave-group.ts'
import { listOffsetsApi } from '../../src/protocol/messages/list-offsets.ts'
import { listPartitionReassignmentsApi } from '../../src/protocol/messages/list-partition-reassignments.ts'
import { metadataApi } from '../../src/protocol/messages/metadata.ts'
import { offsetCommitApi } from '../../src/protocol/messages/offset-commit.ts'
import { offsetFetchApi } from '../../src/protocol/messages/offset-fetch.ts'
import { offsetForLeaderEpochApi } from '../../src/protocol/messages/offset-for-leader-epoch.ts'
import { produceApi } from '../../src/protocol/messages/produce.ts'
import { syncGroupApi } from '../../src/protocol/messages/sync-group.ts'
import { txnOffsetCommitApi } from '../../src/protocol/messages/txn-offset-commit.ts'
import {
  consumerMember,
  createMembersTopic,
  membersGroupOf,
  withoutAssignmentInterval,
} from './differential-members.ts'
import { Dice, type Side, type Step } from './differential-script.ts'
import { encodeRecordBatch } from './encode-record-batch.ts'
import { produceOf } from './produce.ts'
import type { RawClient } from './raw-client.ts'

/** A version of an API that Kafka calls stable. */
function version<Q, R>(dice: Dice, api: Api<Q, R>, least = api.request.versions.min, most = api.latestStable): number {
  return least + dice.roll(most - least + 1)
}

const TIME = 1_800_000_000_000

/** The steps of a script. Names are those of its topic, group and transactional id. */
export function scriptOf(seed: number, name: string, length: number): Step[] {
  const dice = new Dice(seed)
  const created: Step = {
    name: 'CreateTopics',
    async run({ client }) {
      const configs = [
        { name: 'message.timestamp.after.max.ms', value: '9000000000000' },
        // Apache Kafka begins a segment where the times of records jump, and a read ends with its segment.
        { name: 'segment.ms', value: '9000000000000' },
      ]
      const topics = [{ name, numPartitions: 2, replicationFactor: 1, assignments: [], configs }]
      const answer = await client.request(createTopicsApi, 5, { topics })
      await createMembersTopic(client, name)
      await prepared(client, name)
      return answer
    },
  }
  const makers = [
    produce,
    produce,
    idempotent,
    fetch,
    fetch,
    listOffsets,
    admin,
    placement,
    records,
    epochs,
    commit,
    fetchOffsets,
    member,
    member,
    consumer,
    consumerMember,
    consumerMember,
    transaction,
    transaction,
    transaction,
    look,
  ]
  return [created, ...Array.from({ length }, () => dice.of(...makers)(dice, name))]
}

function batch(dice: Dice, extra: object = {}): Buffer {
  const records = Array.from({ length: 1 + dice.roll(3) }, (_, i) => ({
    key: Buffer.from(`k${dice.roll(4)}`),
    value: Buffer.from(`v${i}`),
    timestampDelta: i,
  }))
  const baseTimestamp = TIME + dice.roll(1000)
  return encodeRecordBatch({ records, baseTimestamp, maxTimestamp: baseTimestamp + records.length - 1, ...extra })
}

function produce(dice: Dice, topic: string): Step {
  const bytes = batch(dice)
  const flaw = dice.of(
    'none',
    'none',
    'none',
    'crc',
    'magic',
    'twice',
    'control',
    'count',
    'partition',
    'topic',
    'empty',
  )
  if (flaw === 'crc') bytes[bytes.length - 1]! ^= 1
  const flawed: { readonly [flaw: string]: () => Buffer } = {
    magic: () => batch(dice, { magic: 1 }),
    twice: () => Buffer.concat([bytes, bytes]),
    control: () => batch(dice, { attributes: 0x20 }),
    count: () => batch(dice, { count: 9 }),
    empty: () => Buffer.alloc(0),
  }
  const sent = flawed[flaw]?.() ?? bytes
  const at = version(dice, produceApi, 3, 12)
  const request = produceOf({ name: flaw === 'topic' ? `${topic}-missing` : topic }, sent, {
    partition: flaw === 'partition' ? 7 : dice.roll(2),
    acks: dice.of(-1, 1),
  })
  // A broker writes into what it gets.
  return {
    name: `Produce ${at} ${flaw}`,
    run: ({ client }) => client.request(produceApi, at, structuredClone(request)),
  }
}

function idempotent(dice: Dice, topic: string): Step {
  const how = dice.of('new', 'next', 'next', 'again', 'gap', 'old epoch', 'new epoch')
  const at = version(dice, produceApi, 3, 12)
  const partition = 0
  const seed = dice.roll(1 << 30)
  return {
    name: `Produce ${at} idempotent, ${how}`,
    async run(side) {
      if (how === 'new' || side.producerId < 0) {
        // A broker that has just started has no producer ids to give yet.
        const { producerId, producerEpoch } = await settled(() =>
          side.client.request(initProducerIdApi, 4, { transactionalId: null, transactionTimeoutMs: 1000 }),
        )
        Object.assign(side, { producerId, producerEpoch, sequence: 0 })
      }
      const baseSequence =
        how === 'again'
          ? Math.max(0, side.sequence - 1)
          : how === 'gap'
            ? side.sequence + 2
            : how === 'new epoch'
              ? 1
              : side.sequence
      const producerEpoch = side.producerEpoch + (how === 'new epoch' ? 1 : how === 'old epoch' ? -1 : 0)
      if (producerEpoch < 0) return undefined
      const records = [{ key: Buffer.from(`k${seed}`), value: null }]
      const bytes = encodeRecordBatch({
        records,
        baseTimestamp: TIME,
        producerId: side.producerId,
        producerEpoch,
        baseSequence,
      })
      const answer = await side.client.request(produceApi, at, produceOf({ name: topic }, bytes, { partition }))
      if (answer.responses[0]!.partitionResponses[0]!.errorCode === 0 && how !== 'again')
        side.sequence = baseSequence + 1
      return answer
    },
  }
}

function fetch(dice: Dice, topic: string): Step {
  const at = version(dice, fetchApi, 4, 12)
  const request = {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: dice.of(1, 100, 1_000_000),
    isolationLevel: dice.roll(2),
    topics: [
      {
        topic: dice.of(topic, topic, topic, `${topic}-missing`),
        partitions: [0, 1].map((partition) => ({
          partition,
          fetchOffset: dice.of(0, 0, 1, 2, 5, 50, -1),
          partitionMaxBytes: dice.of(1, 90, 200, 1_000_000),
        })),
      },
    ],
  }
  return { name: `Fetch ${at} ${JSON.stringify(request)}`, run: ({ client }) => client.request(fetchApi, at, request) }
}

function listOffsets(dice: Dice, topic: string): Step {
  const at = version(dice, listOffsetsApi, 1, 9)
  // Not -3: of Apache Kafka, the record with the largest time may be one that was deleted.
  const timestamp = dice.of(-1, -2, TIME, TIME + 500, TIME + 5000)
  const request = {
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: dice.of(0, 1, 7), timestamp }] }],
    ...(at >= 2 ? { isolationLevel: dice.roll(2) } : {}),
  }
  return { name: `ListOffsets ${at} ${timestamp}`, run: ({ client }) => client.request(listOffsetsApi, at, request) }
}

function admin(dice: Dice, topic: string): Step {
  const at = version(dice, createTopicsApi, 2, 6)
  const name = dice.of(topic, 'a b', '', `${topic}-${dice.roll(3)}`, 'x'.repeat(250))
  const configs = dice.of(
    [],
    [{ name: 'retention.ms', value: '1000' }],
    [{ name: 'nonsense', value: '1' }],
    [{ name: 'cleanup.policy', value: 'burn' }],
  )
  const topics = [
    { name, numPartitions: dice.of(1, 0, 2), replicationFactor: dice.of(1, 1, 0, 3), assignments: [], configs },
  ]
  const changes = {
    resources: [
      {
        resourceType: 2,
        resourceName: dice.of(topic, `${topic}-missing`),
        configs: [
          {
            name: dice.of('max.message.bytes', 'nonsense'),
            configOperation: dice.of(0, 1, 2),
            value: dice.of('2000000', 'x'),
          },
        ],
      },
    ],
    validateOnly: true,
  }
  const partitions = {
    topics: [{ name: dice.of(topic, `${topic}-missing`), count: dice.of(1, 2, 3), assignments: null }],
    timeoutMs: 10_000,
    validateOnly: true,
  }
  const step: Step = dice.of<Step>(
    {
      name: `CreateTopics ${at} ${JSON.stringify(topics)}`,
      run: ({ client }) => client.request(createTopicsApi, at, { topics, validateOnly: true }),
    },
    {
      name: `IncrementalAlterConfigs ${JSON.stringify(changes)}`,
      run: ({ client }) => client.request(incrementalAlterConfigsApi, 1, changes),
    },
    {
      name: `CreatePartitions ${JSON.stringify(partitions)}`,
      run: ({ client }) => client.request(createPartitionsApi, 2, partitions),
    },
  )
  return step
}

/** Where partitions are. Reassignments are refused, as the numbers of nodes differ from broker to broker. */
function placement(dice: Dice, topic: string): Step {
  const name = dice.of(topic, topic, `${topic}-missing`)
  const at = version(dice, electLeadersApi)
  const election = { electionType: dice.of(0, 1, 7), topicPartitions: [{ topic: name, partitions: [0, 7] }] }
  const partitions = [{ partitionIndex: dice.of(0, 0, 7), replicas: dice.of(null, [], [999], [999, 999]) }]
  const reassignment = { topics: [{ name, partitions }] }
  const listed = { topics: dice.of(null, [{ name, partitionIndexes: [0, 7] }]) }
  const move = { dirs: [{ path: '/nowhere', topics: [{ name, partitions: [dice.of(0, 7)] }] }] }
  return dice.of<Step>(
    {
      name: `ElectLeaders ${at} ${JSON.stringify(election)}`,
      run: ({ client }) => client.request(electLeadersApi, at, at === 0 ? { ...election, electionType: 0 } : election),
    },
    {
      name: `AlterPartitionReassignments ${JSON.stringify(reassignment)}`,
      run: ({ client }) => client.request(alterPartitionReassignmentsApi, 1, reassignment),
    },
    {
      name: `ListPartitionReassignments ${JSON.stringify(listed)}`,
      run: ({ client }) => client.request(listPartitionReassignmentsApi, 0, listed),
    },
    {
      name: `AlterReplicaLogDirs ${JSON.stringify(move)}`,
      run: ({ client }) => client.request(alterReplicaLogDirsApi, 2, move),
    },
  )
}

function records(dice: Dice, topic: string): Step {
  const request = {
    topics: [{ name: topic, partitions: [{ partitionIndex: dice.of(0, 1, 7), offset: dice.of(0, 1, 99, -2) }] }],
    timeoutMs: 10_000,
  }
  return {
    name: `DeleteRecords ${JSON.stringify(request)}`,
    run: ({ client }) => client.request(deleteRecordsApi, 2, request),
  }
}

function epochs(dice: Dice, topic: string): Step {
  const request = {
    topics: [
      {
        topic,
        partitions: [
          { partition: dice.of(0, 7), leaderEpoch: dice.of(0, 1, -1), currentLeaderEpoch: dice.of(-1, 0, 3) },
        ],
      },
    ],
  }
  return {
    name: `OffsetForLeaderEpoch ${JSON.stringify(request)}`,
    run: ({ client }) => client.request(offsetForLeaderEpochApi, 4, request),
  }
}

const wrong = (dice: Dice): 'right' | 'generation' | 'member' | 'nobody' =>
  dice.of('right', 'right', 'right', 'generation', 'member', 'nobody')

function claimOf(side: Side, flaw: ReturnType<typeof wrong>): { memberId: string; generationId: number } {
  if (flaw === 'nobody') return { memberId: '', generationId: -1 }
  return {
    memberId: flaw === 'member' ? 'other' : side.memberId,
    generationId: side.generationId + (flaw === 'generation' ? 1 : 0),
  }
}

function commit(dice: Dice, topic: string): Step {
  const at = version(dice, offsetCommitApi, 2, 8)
  const flaw = wrong(dice)
  const metadata = dice.of('', 'here', 'x'.repeat(5000), null)
  const name = dice.of(topic, topic, `${topic}-missing`)
  const committedOffset = dice.roll(5)
  return {
    name: `OffsetCommit ${at} ${flaw}`,
    async run(side) {
      const { memberId, generationId } = claimOf(side, flaw)
      const send = async (committedMetadata: string | null): Promise<unknown> => {
        const topics = [{ name, partitions: [{ partitionIndex: 0, committedOffset, committedMetadata }] }]
        const claim = { groupId: topic, memberId, generationIdOrMemberEpoch: generationId }
        return side.client.request(offsetCommitApi, at, { ...claim, topics })
      }
      // On Apache Kafka, a first commit that is refused leaves a group that can be deleted, but not described.
      if ((metadata?.length ?? 0) > 4096) await send('')
      return send(metadata)
    },
  }
}

function fetchOffsets(dice: Dice, topic: string): Step {
  const at = version(dice, offsetFetchApi, 1, 9)
  const all = dice.roll(2) === 0 && at >= 2
  const asked = [{ name: topic, partitionIndexes: [0, 1] }]
  const request =
    at >= 8
      ? { groups: [{ groupId: topic, topics: all ? null : asked }], requireStable: true }
      : { groupId: topic, topics: all ? null : asked }
  return { name: `OffsetFetch ${at}`, run: ({ client }) => client.request(offsetFetchApi, at, request) }
}

function member(dice: Dice, topic: string): Step {
  const what = dice.of('join', 'join', 'sync', 'sync', 'heartbeat', 'leave', 'delete')
  const flaw = wrong(dice)
  const at = version(dice, joinGroupApi, 4, 9)
  const protocols = [{ name: dice.of('range', 'range', 'other'), metadata: Buffer.from('m') }]
  const sessionTimeoutMs = dice.of(30_000, 30_000, 10)
  return {
    name: `member ${what}, ${flaw} ${at}`,
    async run(side) {
      const claim = claimOf(side, flaw)
      switch (what) {
        case 'join': {
          const request = {
            groupId: topic,
            sessionTimeoutMs,
            rebalanceTimeoutMs: 1000,
            memberId: flaw === 'member' ? 'other' : side.memberId,
            protocolType: 'consumer',
            protocols,
          }
          const answer = await side.client.request(joinGroupApi, at, request)
          if (answer.errorCode === 0 || answer.errorCode === 79)
            Object.assign(side, { memberId: answer.memberId, generationId: answer.generationId })
          return answer
        }
        case 'sync':
          return side.client.request(syncGroupApi, 4, {
            groupId: topic,
            ...claim,
            assignments: [{ memberId: side.memberId, assignment: Buffer.from('a') }],
          })
        case 'heartbeat':
          return side.client.request(heartbeatApi, 4, { groupId: topic, ...claim })
        case 'leave': {
          const answer = await side.client.request(leaveGroupApi, 4, {
            groupId: topic,
            members: [{ memberId: claim.memberId }],
          })
          if (answer.members[0]?.errorCode === 0) Object.assign(side, { memberId: '', generationId: -1 })
          return answer
        }
        case 'delete':
          return side.client.request(deleteGroupsApi, 2, { groupsNames: [topic] })
      }
    },
  }
}

/**
 * A single member of the consumer protocol, in a group of its own. It never leaves: Apache Kafka computes assignments of a group at
 * most once in a while, so that what a member finds that comes back depends on the time.
 */
function consumer(dice: Dice, topic: string): Step {
  const epoch = dice.of('join', 'current', 'current', 'wrong')
  const rest = dice.of({}, {}, { serverAssignor: 'nonsense' }, { instanceId: '' })
  return {
    name: `ConsumerGroupHeartbeat ${epoch} ${JSON.stringify(rest)}`,
    async run(side) {
      const memberEpoch = epoch === 'join' ? 0 : side.consumerEpoch + (epoch === 'wrong' ? 7 : 0)
      const joining =
        memberEpoch === 0 ? { rebalanceTimeoutMs: 1000, subscribedTopicNames: [topic], topicPartitions: [] } : {}
      const answer = await side.client.request(consumerGroupHeartbeatApi, 1, {
        groupId: `${topic}-consumer`,
        memberId: 'm',
        memberEpoch,
        ...joining,
        ...rest,
      })
      if (answer.errorCode === 0) side.consumerEpoch = Math.max(0, answer.memberEpoch)
      // Whether the first answer has the assignment, or the next one, depends on the time, too.
      return { ...answer, assignment: undefined }
    },
  }
}

function transaction(dice: Dice, topic: string): Step {
  const what = dice.of('init', 'write', 'write', 'commit', 'commit', 'abort', 'add', 'offsets', 'describe')
  const isNew = dice.roll(2) === 0
  const flaw = dice.of('none', 'none', 'none', 'epoch', 'id')
  const timeout = dice.of(60_000, 60_000, 0, 999_999_999)
  return {
    name: `transaction ${what} ${isNew ? 'since' : 'before'} KIP-890, ${flaw}`,
    async run({ client, transaction: state }) {
      const producerId = state.producerId + (flaw === 'id' ? 100_000 : 0)
      const producerEpoch = state.producerEpoch + (flaw === 'epoch' ? 1 : 0)
      if (producerId < 0 && what !== 'init') return undefined
      switch (what) {
        case 'init': {
          const answer = await settled(() =>
            client.request(initProducerIdApi, 5, { transactionalId: topic, transactionTimeoutMs: timeout }),
          )
          if (answer.errorCode === 0)
            Object.assign(state, { producerId: answer.producerId, producerEpoch: answer.producerEpoch, sequence: 0 })
          await settled(() => client.request(describeTransactionsApi, 0, { transactionalIds: [topic] }))
          return answer
        }
        case 'write': {
          const bytes = encodeRecordBatch({
            records: [{ key: Buffer.from('t'), value: null }],
            baseTimestamp: TIME,
            producerId,
            producerEpoch,
            baseSequence: state.sequence,
            attributes: 0x10,
          })
          const request = produceOf({ name: topic }, bytes, { partition: 1, transactionalId: topic })
          const answer = await settled(() => client.request(produceApi, isNew ? 12 : 11, structuredClone(request)))
          if (answer.responses[0]!.partitionResponses[0]!.errorCode === 0) state.sequence++
          return answer
        }
        case 'commit':
        case 'abort': {
          const answer = await settled(() =>
            client.request(endTxnApi, isNew ? 5 : 4, {
              transactionalId: topic,
              producerId,
              producerEpoch,
              committed: what === 'commit',
            }),
          )
          if (answer.errorCode === 0 && isNew)
            Object.assign(state, { producerId: answer.producerId, producerEpoch: answer.producerEpoch, sequence: 0 })
          // Apache Kafka writes the markers after it has answered.
          await settled(() => client.request(describeTransactionsApi, 0, { transactionalIds: [topic] }))
          return answer
        }
        case 'add':
          return settled(() =>
            client.request(addPartitionsToTxnApi, 3, {
              v3AndBelowTransactionalId: topic,
              v3AndBelowProducerId: producerId,
              v3AndBelowProducerEpoch: producerEpoch,
              v3AndBelowTopics: [{ name: topic, partitions: [flaw === 'none' ? 1 : 7] }],
            }),
          )
        case 'offsets': {
          const groupId = `${topic}-transaction`
          if (!isNew)
            await settled(() =>
              client.request(addOffsetsToTxnApi, 3, { transactionalId: topic, producerId, producerEpoch, groupId }),
            )
          const partitions = [{ partitionIndex: 0, committedOffset: 3, committedMetadata: null }]
          return settled(() =>
            client.request(txnOffsetCommitApi, isNew ? 5 : 4, {
              transactionalId: topic,
              groupId,
              producerId,
              producerEpoch,
              memberId: '',
              topics: [{ name: topic, partitions }],
            }),
          )
        }
        case 'describe':
          return settled(() => client.request(describeTransactionsApi, 0, { transactionalIds: [topic] }))
      }
    },
  }
}

/** Apache Kafka creates topics and coordinators in the background: waits until they are there. */
async function prepared(client: RawClient, name: string): Promise<void> {
  await until(async () => {
    const topics = [{ name }, { name: membersGroupOf(name) }]
    const known = (await client.request(metadataApi, 9, { topics, allowAutoTopicCreation: false })).topics
    return known.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leaderId }) => leaderId >= 0))
  })
  const groups = [name, `${name}-consumer`, `${name}-transaction`, membersGroupOf(name)]
  await until(async () => {
    const found = await client.request(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: groups })
    const { groups: described } = await client.request(describeGroupsApi, 5, { groups })
    return (
      found.coordinators.every(({ errorCode }) => errorCode === 0) &&
      described.every(({ errorCode }) => errorCode === 0)
    )
  })
  await until(async () => withoutAssignmentInterval(client, name))
  await until(async () => {
    const found = await client.request(findCoordinatorApi, 4, { keyType: 1, coordinatorKeys: [name] })
    const { transactionStates } = await client.request(describeTransactionsApi, 0, { transactionalIds: [name] })
    return (
      found.coordinators[0]!.errorCode === 0 && transactionStates[0]!.errorCode === ERROR.TRANSACTIONAL_ID_NOT_FOUND
    )
  })
  // The leaders know of the topic somewhat later than the metadata.
  await until(async () => {
    const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, timestamp: -1 }))
    const { topics } = await client.request(listOffsetsApi, 7, { replicaId: -1, topics: [{ name, partitions }] })
    return topics[0]!.partitions.every(({ errorCode }) => errorCode === 0)
  })
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isTrue()); tries++) {
    if (tries > 500) throw new Error('The broker does not get ready')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Coordinator loading or not available, and a transaction that is being ended. */
const BUSY = [14, 15, 51]

/** Apache Kafka loads coordinators and writes markers in the background; until then it asks clients to come again. */
async function settled<T>(request: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await request()
    const text = JSON.stringify(answer, (name, value: unknown) => (/^records$/.test(name) ? null : value))
    const isBusy = BUSY.some((code) => text.includes(`rrorCode":${code}`)) || /"transactionState":"Prepare/.test(text)
    if (!isBusy || tries > 100) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function look(dice: Dice, topic: string): Step {
  const at = dice.of(5, 6)
  return dice.of<Step>(
    {
      name: 'DescribeGroups',
      run: ({ client }) => client.request(describeGroupsApi, at, { groups: [topic] }),
    },
    {
      name: 'DescribeProducers',
      run: ({ client }) =>
        client.request(describeProducersApi, 0, { topics: [{ name: topic, partitionIndexes: [0, 1] }] }),
    },
  )
}

/** What a broker chooses itself, or says in its own words. */
const MASKED = new Set(
  `topicId nodeId leaderId host port memberId leader clientHost producerId throttleTimeMs errorMessage batchIndexErrorMessage
  recordErrors lastTimestamp transactionStartTimeMs configs currentLeader nodeEndpoints heartbeatIntervalMs preferredReadReplica
  logAppendTimeMs`.split(/\s+/),
)

/** The embedded broker keeps offsets without a topic. */
function isInternal(item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'topic' in item && item.topic === '__consumer_offsets'
}

/** An answer without what may differ. */
export function comparable(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('hex')
  if (Array.isArray(value)) return value.filter((item) => !isInternal(item)).map(comparable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !MASKED.has(name))
      .map(([name, part]) => [name, partOf(name, part, value)]),
  )
}

function partOf(name: string, part: unknown, whole: object): unknown {
  if (name === 'records') return withoutIds(part)
  const compared = comparable(part)
  if (!Array.isArray(compared)) return compared
  // Apache Kafka lists producers in the order of a hash map over their ids.
  if (name === 'activeProducers') return compared.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  // Apache Kafka finds the end of what it lists by a sparse index: transactions behind the records may come along, which readers ignore.
  if (name === 'abortedTransactions' && 'records' in whole) {
    const end = endOffset(whole.records)
    return (compared as { firstOffset: number | bigint }[]).filter(({ firstOffset }) => Number(firstOffset) < end)
  }
  return compared
}

/** The offset behind the last batch that is there whole. */
function endOffset(records: unknown): number {
  let end = 0
  if (!Buffer.isBuffer(records)) return end
  for (let at = 0; at + 61 <= records.length; at += 12 + records.readInt32BE(at + 8))
    end = Number(records.readBigInt64BE(at)) + records.readInt32BE(at + 23) + 1
  return end
}

/** Record batches without the id of their producer, which is the broker's choice, the CRC, which covers it, and the time of markers. */
function withoutIds(records: unknown): string {
  if (!Buffer.isBuffer(records)) return ''
  const bytes = Buffer.from(records)
  // The last batch may be cut off.
  const blank = (from: number, to: number): void =>
    void bytes.fill(0, Math.min(from, bytes.length), Math.min(to, bytes.length))
  for (let at = 0; at + 12 <= bytes.length; at += 12 + bytes.readInt32BE(at + 8)) {
    blank(at + 17, at + 21)
    blank(at + 43, at + 51)
    if (((bytes[at + 22] ?? 0) & 0x20) !== 0) blank(at + 27, at + 43)
  }
  return bytes.toString('hex')
}
