/** The handler of each API, loaded with the first request for it, so that a broker starts quickly. */
import type { Handler } from './handler.ts'
import { SUPPORTED, type SupportedApi, type SupportedName } from './supported.ts'

type AnyHandler = Handler<unknown, unknown>

const LOADERS: { readonly [name in SupportedName]: () => Promise<AnyHandler> } = {
  Produce: async () => (await import('./produce.ts')).produce,
  Fetch: async () => (await import('./fetch.ts')).fetch,
  ListOffsets: async () => (await import('./list-offsets.ts')).listOffsets,
  Metadata: async () => (await import('./metadata.ts')).metadata,
  OffsetCommit: async () => (await import('./offset-commit.ts')).offsetCommit,
  OffsetFetch: async () => (await import('./offset-fetch.ts')).offsetFetch,
  FindCoordinator: async () => (await import('./find-coordinator.ts')).findCoordinator,
  JoinGroup: async () => (await import('./join-group.ts')).joinGroup,
  Heartbeat: async () => (await import('./heartbeat.ts')).heartbeat,
  LeaveGroup: async () => (await import('./leave-group.ts')).leaveGroup,
  SyncGroup: async () => (await import('./sync-group.ts')).syncGroup,
  DescribeGroups: async () => (await import('./describe-groups.ts')).describeGroups,
  ListGroups: async () => (await import('./list-groups.ts')).listGroups,
  SaslHandshake: async () => (await import('./sasl-handshake.ts')).saslHandshake,
  SaslAuthenticate: async () => (await import('./sasl-authenticate.ts')).saslAuthenticate,
  DescribeAcls: async () => (await import('./describe-acls.ts')).describeAcls,
  CreateAcls: async () => (await import('./create-acls.ts')).createAcls,
  DeleteAcls: async () => (await import('./delete-acls.ts')).deleteAcls,
  DescribeUserScramCredentials: async () =>
    (await import('./describe-user-scram-credentials.ts')).describeUserScramCredentials,
  AlterUserScramCredentials: async () => (await import('./alter-user-scram-credentials.ts')).alterUserScramCredentials,
  ApiVersions: async () => (await import('./api-versions.ts')).apiVersions,
  CreateTopics: async () => (await import('./create-topics.ts')).createTopics,
  DeleteTopics: async () => (await import('./delete-topics.ts')).deleteTopics,
  DeleteRecords: async () => (await import('./delete-records.ts')).deleteRecords,
  InitProducerId: async () => (await import('./init-producer-id.ts')).initProducerId,
  AddPartitionsToTxn: async () => (await import('./add-partitions-to-txn.ts')).addPartitionsToTxn,
  AddOffsetsToTxn: async () => (await import('./add-offsets-to-txn.ts')).addOffsetsToTxn,
  EndTxn: async () => (await import('./end-txn.ts')).endTxn,
  WriteTxnMarkers: async () => (await import('./write-txn-markers.ts')).writeTxnMarkers,
  TxnOffsetCommit: async () => (await import('./txn-offset-commit.ts')).txnOffsetCommit,
  OffsetForLeaderEpoch: async () => (await import('./offset-for-leader-epoch.ts')).offsetForLeaderEpoch,
  DescribeConfigs: async () => (await import('./describe-configs.ts')).describeConfigs,
  AlterConfigs: async () => (await import('./alter-configs.ts')).alterConfigs,
  AlterReplicaLogDirs: async () => (await import('./alter-replica-log-dirs.ts')).alterReplicaLogDirs,
  DescribeLogDirs: async () => (await import('./describe-log-dirs.ts')).describeLogDirs,
  CreatePartitions: async () => (await import('./create-partitions.ts')).createPartitions,
  DeleteGroups: async () => (await import('./delete-groups.ts')).deleteGroups,
  ElectLeaders: async () => (await import('./elect-leaders.ts')).electLeaders,
  IncrementalAlterConfigs: async () => (await import('./incremental-alter-configs.ts')).incrementalAlterConfigs,
  AlterPartitionReassignments: async () =>
    (await import('./alter-partition-reassignments.ts')).alterPartitionReassignments,
  ListPartitionReassignments: async () =>
    (await import('./list-partition-reassignments.ts')).listPartitionReassignments,
  OffsetDelete: async () => (await import('./offset-delete.ts')).offsetDelete,
  DescribeCluster: async () => (await import('./describe-cluster.ts')).describeCluster,
  DescribeProducers: async () => (await import('./describe-producers.ts')).describeProducers,
  DescribeTransactions: async () => (await import('./describe-transactions.ts')).describeTransactions,
  ListTransactions: async () => (await import('./list-transactions.ts')).listTransactions,
  ConsumerGroupHeartbeat: async () => (await import('./consumer-group-heartbeat.ts')).consumerGroupHeartbeat,
  ConsumerGroupDescribe: async () => (await import('./consumer-group-describe.ts')).consumerGroupDescribe,
  ListConfigResources: async () => (await import('./list-config-resources.ts')).listConfigResources,
  DescribeTopicPartitions: async () => (await import('./describe-topic-partitions.ts')).describeTopicPartitions,
}

export interface LoadableApi extends SupportedApi {
  readonly name: SupportedName
  /** The handler, if it is loaded. */
  loaded(): AnyHandler | undefined
  load(): Promise<AnyHandler>
}

const LOADABLE: ReadonlyMap<number, LoadableApi> = new Map(
  SUPPORTED.map((api) => {
    let handler: AnyHandler | undefined
    const load = async (): Promise<AnyHandler> => (handler ??= await LOADERS[api.name]())
    return [api.key, { ...api, loaded: () => handler, load }]
  }),
)

export function supportedApi(key: number): LoadableApi | undefined {
  return LOADABLE.get(key)
}
