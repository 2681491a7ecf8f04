/** Every API that the broker announces is asked in every version: the answer must be one of that version. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { APIS, type ApiEntry } from '../../src/protocol/api-index.ts'
import { SUPPORTED, type SupportedName } from '../../src/broker/apis/supported.ts'
import { type EmbeddedBroker, startBroker } from '../../src/broker/index.ts'
import { ERROR } from '../../src/protocol/error-codes.ts'
import type { Message } from '../../src/protocol/message.ts'
import { apiVersionsApi } from '../../src/protocol/messages/api-versions.ts'
import { metadataApi } from '../../src/protocol/messages/metadata.ts'
import { isIn, type Structure } from '../../src/protocol/schema.ts'
import { batchOf } from '../support/produce.ts'
import { RawClient } from '../support/raw-client.ts'

let broker: EmbeddedBroker
let client: RawClient
let topicId: string

beforeAll(async () => {
  broker = await startBroker({ topics: { orders: 2 } })
  client = await RawClient.connect(broker.bootstrapServers)
  const { topics } = await client.request(metadataApi, 12, { topics: [{ name: 'orders' }] })
  topicId = topics[0]!.topicId
})

afterAll(async () => {
  client.close()
  await broker.close()
})

const both = () => ({ name: 'orders', topic: 'orders', topicId })

/** A request that succeeds; fields that a version does not have are left out. */
const REQUESTS: { readonly [name in SupportedName]: (version: number) => object } = {
  Produce: () => ({
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ ...both(), partitionData: [{ index: 0, records: batchOf(['a']) }] }],
  }),
  Fetch: () => ({
    maxWaitMs: 0,
    minBytes: 0,
    topics: [{ ...both(), partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
  }),
  ListOffsets: () => ({ replicaId: -1, topics: [{ ...both(), partitions: [{ partitionIndex: 0, timestamp: -1 }] }] }),
  Metadata: (version) => ({ topics: [version >= 12 ? { topicId, name: null } : { name: 'orders' }] }),
  OffsetCommit: () => ({
    groupId: 'tool',
    memberId: '',
    topics: [{ ...both(), partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: 'x' }] }],
  }),
  OffsetFetch: () => ({
    groupId: 'tool',
    topics: [{ name: 'orders', partitionIndexes: [0] }],
    groups: [{ groupId: 'tool', topics: [{ ...both(), partitionIndexes: [0] }] }],
  }),
  FindCoordinator: () => ({ key: 'tool', coordinatorKeys: ['tool'] }),
  // Requests of members are in groups.test.ts; here they come from one that the group does not know.
  JoinGroup: () => ({ groupId: 'g', sessionTimeoutMs: 1, memberId: '', protocolType: '', protocols: [] }),
  Heartbeat: () => ({ groupId: 'g', generationId: 1, memberId: 'm' }),
  LeaveGroup: () => ({ groupId: 'g', memberId: 'm', members: [{ memberId: 'm' }] }),
  SyncGroup: () => ({
    groupId: 'g',
    generationId: 1,
    memberId: 'm',
    protocolType: 'a',
    protocolName: 'b',
    assignments: [],
  }),
  DescribeGroups: () => ({ groups: ['tool'] }),
  ListGroups: () => ({}),
  ApiVersions: () => ({ clientSoftwareName: 'millrace', clientSoftwareVersion: '1' }),
  CreateTopics: (version) => ({
    topics: [{ name: `created-${version}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  }),
  DeleteTopics: (version) => ({ topics: [], topicNames: [`created-${version}`], timeoutMs: 1000 }),
  DeleteRecords: () => ({ topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, offset: 0 }] }], timeoutMs: 1 }),
  InitProducerId: () => ({ transactionalId: null, transactionTimeoutMs: 1000 }),
  // Requests of producers with a transaction are in transactions.test.ts; here they come from one that nothing knows.
  AddPartitionsToTxn: () => ({
    v3AndBelowTransactionalId: 'tx',
    v3AndBelowProducerId: 9999,
    v3AndBelowProducerEpoch: 0,
    v3AndBelowTopics: [{ name: 'orders', partitions: [0] }],
    transactions: [
      { transactionalId: 'tx', producerId: 9999, producerEpoch: 0, topics: [{ name: 'orders', partitions: [0] }] },
    ],
  }),
  AddOffsetsToTxn: () => ({ transactionalId: 'tx', producerId: 9999, producerEpoch: 0, groupId: 'g' }),
  EndTxn: () => ({ transactionalId: 'tx', producerId: 9999, producerEpoch: 0, committed: true }),
  TxnOffsetCommit: () => ({
    transactionalId: 'tx',
    groupId: 'g',
    producerId: 9999,
    producerEpoch: 0,
    memberId: '',
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
  }),
  DescribeProducers: () => ({ topics: [{ name: 'orders', partitionIndexes: [0] }] }),
  DescribeTransactions: () => ({ transactionalIds: ['tx'] }),
  ListTransactions: () => ({ stateFilters: [], producerIdFilters: [] }),
  OffsetForLeaderEpoch: () => ({ topics: [{ topic: 'orders', partitions: [{ partition: 0, leaderEpoch: 0 }] }] }),
  DescribeConfigs: () => ({ resources: [{ resourceType: 2, resourceName: 'orders', configurationKeys: null }] }),
  AlterConfigs: () => ({ resources: [{ resourceType: 2, resourceName: 'orders', configs: [] }], validateOnly: true }),
  DescribeLogDirs: () => ({ topics: null }),
  CreatePartitions: () => ({
    topics: [{ name: 'orders', count: 3, assignments: null }],
    timeoutMs: 1,
    validateOnly: true,
  }),
  DeleteGroups: () => ({ groupsNames: [] }),
  OffsetDelete: () => ({ groupId: 'tool', topics: [{ name: 'orders', partitions: [{ partitionIndex: 0 }] }] }),
  IncrementalAlterConfigs: () => ({
    resources: [{ resourceType: 2, resourceName: 'orders', configs: [] }],
    validateOnly: true,
  }),
  DescribeCluster: () => ({ includeClusterAuthorizedOperations: true }),
  ConsumerGroupHeartbeat: () => ({
    groupId: 'new',
    memberId: 'm',
    memberEpoch: 0,
    rebalanceTimeoutMs: 1000,
    subscribedTopicNames: ['orders'],
    topicPartitions: [],
  }),
  ConsumerGroupDescribe: () => ({ groupIds: ['new'], includeAuthorizedOperations: true }),
  ListConfigResources: () => ({}),
  DescribeTopicPartitions: () => ({ topics: [{ name: 'orders' }] }),
}

/** Errors that the requests above are answered with. */
const EXPECTED: { readonly [name in SupportedName]?: number[] } = {
  JoinGroup: [ERROR.INVALID_SESSION_TIMEOUT],
  Heartbeat: [ERROR.UNKNOWN_MEMBER_ID],
  LeaveGroup: [ERROR.UNKNOWN_MEMBER_ID],
  SyncGroup: [ERROR.UNKNOWN_MEMBER_ID],
  AddPartitionsToTxn: [ERROR.INVALID_PRODUCER_ID_MAPPING],
  AddOffsetsToTxn: [ERROR.INVALID_PRODUCER_ID_MAPPING],
  EndTxn: [ERROR.INVALID_PRODUCER_ID_MAPPING],
  TxnOffsetCommit: [ERROR.INVALID_PRODUCER_ID_MAPPING],
  DescribeTransactions: [ERROR.TRANSACTIONAL_ID_NOT_FOUND],
}

/** Leaves out what the version does not have. */
function fitting({ fields }: Pick<Message<unknown>, 'fields'>, version: number, value: Structure): Structure {
  const present = fields.filter((field) => isIn(field, version) && value[field.name] !== undefined)
  return Object.fromEntries(
    present.map((field) => {
      const part = value[field.name]
      if (typeof field.type === 'string' || part === null) return [field.name, part]
      const inner = { fields: field.type }
      const fit = (item: unknown) => fitting(inner, version, item as Structure)
      return [field.name, field.array === true ? (part as unknown[]).map(fit) : fit(part)]
    }),
  )
}

/** All error codes of an answer. */
function errorsIn(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(errorsIn)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return []
  return Object.entries(value).flatMap(([name, part]) =>
    /^(?:e|partitionE)rrorCode$/.test(name) ? [part as number] : errorsIn(part),
  )
}

describe('every announced version', () => {
  const rows = SUPPORTED.flatMap(({ name, min, max }) =>
    Array.from({ length: max - min + 1 }, (_, i) => ({ name, version: min + i })),
  )

  test.each(rows)('of $name is answered: $version', async ({ name, version }) => {
    const api = await (APIS as readonly ApiEntry[]).find((entry) => entry.name === name)!.load()
    // Deleting needs what creating made.
    if (name === 'DeleteTopics') broker.createTopic(`created-${version}`)
    const request = fitting(api.request, version, REQUESTS[name](version) as Structure)
    const response = await client.request(api, version, request)
    expect(new Set(errorsIn(response).filter((code) => code !== 0))).toEqual(new Set(EXPECTED[name] ?? []))
    if (name === 'CreateTopics')
      await client.request(
        await (APIS as readonly ApiEntry[]).find((entry) => entry.name === 'DeleteTopics')!.load(),
        5,
        {
          topicNames: [`created-${version}`],
          timeoutMs: 1,
        },
      )
  })

  test('is what ApiVersions reports', async () => {
    const { apiKeys } = await client.request(apiVersionsApi, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1' })
    const expected = SUPPORTED.map(({ key, min, max }) => ({
      apiKey: key,
      minVersion: key === 0 ? 0 : min,
      maxVersion: max,
    }))
    expect(apiKeys).toEqual(expected)
  })
})

describe('a version that there is not', () => {
  test('of ApiVersions is answered in version 0, with the versions that there are', async () => {
    using raw = await RawClient.connect(broker.bootstrapServers)
    const answer = new Promise<Buffer>((resolve) => raw.socket.once('data', resolve))
    raw.socket.write(Buffer.from('0000000a' + '0012' + '0063' + '00000005' + '0000', 'hex'))
    const bytes = await answer
    expect(bytes.readInt32BE(4)).toBe(5)
    expect(bytes.readInt16BE(8)).toBe(ERROR.UNSUPPORTED_VERSION)
  })

  test.each([
    { name: 'of another API', frame: '0000000a' + '0003' + '0063' + '00000005' + '0000' },
    { name: 'of an API that Kafka does not have', frame: '0000000a' + '0fff' + '0000' + '00000005' + '0000' },
    {
      name: 'of Produce that is announced for old clients only',
      frame: '0000000a' + '0000' + '0002' + '00000005' + '0000',
    },
    { name: 'in a frame that is cut off', frame: '00000004' + '00120000' },
    { name: 'in a frame of two gigabytes', frame: '7fffffff' + '00120000' },
    { name: 'with a body that is none', frame: '0000000f' + '0003' + '000c' + '00000005' + 'ffff' + '00' + 'ffffffff' },
  ])('$name closes the connection, and the broker serves on', async ({ frame }) => {
    using raw = await RawClient.connect(broker.bootstrapServers)
    const closed = new Promise<void>((resolve) => raw.socket.once('close', () => resolve()))
    raw.socket.write(Buffer.from(frame, 'hex'))
    await closed
    expect((await client.request(metadataApi, 12, { topics: [] })).brokers).toHaveLength(1)
  })
})
