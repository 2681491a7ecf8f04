/** A request for each API and version that the embedded broker has. */
import type { SupportedName } from '../../src/broker/apis/supported.ts'
import type { Message } from '../../src/protocol/message.ts'
import { isIn, type Structure } from '../../src/protocol/schema.ts'
import { batchOf } from './produce.ts'

export type Requests = { readonly [name in SupportedName]: (version: number) => object }

/**
 * Requests that succeed, as far as they can without members and transactions; fields that a version does not have are left out by
 * `fitting`.
 *
 * @param topicId of a topic with the name `orders`
 */
export function requestsFor(topicId: string): Requests {
  const both = () => ({ name: 'orders', topic: 'orders', topicId })

  return {
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
    DeleteRecords: () => ({
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, offset: 0 }] }],
      timeoutMs: 1,
    }),
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
    SaslHandshake: () => ({ mechanism: 'PLAIN' }),
    SaslAuthenticate: () => ({ authBytes: Buffer.alloc(1) }),
    DescribeAcls: () => ({
      resourceTypeFilter: 1,
      resourceNameFilter: null,
      patternTypeFilter: 1,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    }),
    CreateAcls: () => ({ creations: [] }),
    DeleteAcls: () => ({ filters: [] }),
    DescribeUserScramCredentials: () => ({ users: null }),
    AlterUserScramCredentials: () => ({ deletions: [], upsertions: [] }),
    DescribeProducers: () => ({ topics: [{ name: 'orders', partitionIndexes: [0] }] }),
    DescribeTransactions: () => ({ transactionalIds: ['tx'] }),
    ListTransactions: () => ({ stateFilters: [], producerIdFilters: [] }),
    WriteTxnMarkers: () => ({
      markers: [
        {
          producerId: 7,
          producerEpoch: 0,
          transactionResult: false,
          topics: [{ name: 'orders', partitionIndexes: [0] }],
          coordinatorEpoch: 0,
        },
      ],
    }),
    OffsetForLeaderEpoch: () => ({ topics: [{ topic: 'orders', partitions: [{ partition: 0, leaderEpoch: 0 }] }] }),
    DescribeConfigs: () => ({ resources: [{ resourceType: 2, resourceName: 'orders', configurationKeys: null }] }),
    AlterConfigs: () => ({ resources: [{ resourceType: 2, resourceName: 'orders', configs: [] }], validateOnly: true }),
    AlterReplicaLogDirs: () => ({ dirs: [{ path: '/memory', topics: [{ name: 'orders', partitions: [0] }] }] }),
    ElectLeaders: () => ({ electionType: 0, topicPartitions: [{ topic: 'orders', partitions: [0] }] }),
    AlterPartitionReassignments: () => ({
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, replicas: [0] }] }],
    }),
    ListPartitionReassignments: () => ({ topics: null }),
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
}

/** Leaves out what the version does not have. */
export function fitting({ fields }: Pick<Message<unknown>, 'fields'>, version: number, value: Structure): Structure {
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
export function errorsIn(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(errorsIn)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return []
  return Object.entries(value).flatMap(([name, part]) =>
    /^(?:e|partitionE)rrorCode$/.test(name) ? [part as number] : errorsIn(part),
  )
}
