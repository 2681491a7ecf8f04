/** The APIs that the broker speaks, and the versions: those of Apache Kafka 4.3. */

export interface SupportedApi {
  readonly key: number
  readonly min: number
  readonly max: number
  /** What ApiVersions reports instead of `min`. */
  readonly announcedMin?: number
}

const TABLE = {
  // Versions 0 to 2 are not answered; see produce.ts.
  Produce: { key: 0, min: 3, max: 13, announcedMin: 0 },
  Fetch: { key: 1, min: 4, max: 18 },
  ListOffsets: { key: 2, min: 1, max: 11 },
  Metadata: { key: 3, min: 0, max: 13 },
  OffsetCommit: { key: 8, min: 2, max: 10 },
  OffsetFetch: { key: 9, min: 1, max: 10 },
  FindCoordinator: { key: 10, min: 0, max: 6 },
  JoinGroup: { key: 11, min: 0, max: 9 },
  Heartbeat: { key: 12, min: 0, max: 4 },
  LeaveGroup: { key: 13, min: 0, max: 5 },
  SyncGroup: { key: 14, min: 0, max: 5 },
  DescribeGroups: { key: 15, min: 0, max: 6 },
  ListGroups: { key: 16, min: 0, max: 5 },
  SaslHandshake: { key: 17, min: 0, max: 1 },
  ApiVersions: { key: 18, min: 0, max: 4 },
  CreateTopics: { key: 19, min: 2, max: 7 },
  DeleteTopics: { key: 20, min: 1, max: 6 },
  DeleteRecords: { key: 21, min: 0, max: 2 },
  InitProducerId: { key: 22, min: 0, max: 5 },
  OffsetForLeaderEpoch: { key: 23, min: 2, max: 4 },
  AddPartitionsToTxn: { key: 24, min: 0, max: 5 },
  AddOffsetsToTxn: { key: 25, min: 0, max: 4 },
  EndTxn: { key: 26, min: 0, max: 5 },
  WriteTxnMarkers: { key: 27, min: 1, max: 2 },
  TxnOffsetCommit: { key: 28, min: 0, max: 5 },
  DescribeAcls: { key: 29, min: 1, max: 3 },
  CreateAcls: { key: 30, min: 1, max: 3 },
  DeleteAcls: { key: 31, min: 1, max: 3 },
  DescribeConfigs: { key: 32, min: 1, max: 4 },
  AlterConfigs: { key: 33, min: 0, max: 2 },
  AlterReplicaLogDirs: { key: 34, min: 1, max: 2 },
  DescribeLogDirs: { key: 35, min: 1, max: 5 },
  SaslAuthenticate: { key: 36, min: 0, max: 2 },
  CreatePartitions: { key: 37, min: 0, max: 3 },
  DeleteGroups: { key: 42, min: 0, max: 2 },
  ElectLeaders: { key: 43, min: 0, max: 2 },
  IncrementalAlterConfigs: { key: 44, min: 0, max: 1 },
  AlterPartitionReassignments: { key: 45, min: 0, max: 1 },
  ListPartitionReassignments: { key: 46, min: 0, max: 0 },
  OffsetDelete: { key: 47, min: 0, max: 0 },
  DescribeUserScramCredentials: { key: 50, min: 0, max: 0 },
  AlterUserScramCredentials: { key: 51, min: 0, max: 0 },
  DescribeCluster: { key: 60, min: 0, max: 2 },
  DescribeProducers: { key: 61, min: 0, max: 0 },
  DescribeTransactions: { key: 65, min: 0, max: 0 },
  ListTransactions: { key: 66, min: 0, max: 2 },
  ConsumerGroupHeartbeat: { key: 68, min: 0, max: 1 },
  ConsumerGroupDescribe: { key: 69, min: 0, max: 1 },
  ListConfigResources: { key: 74, min: 0, max: 1 },
  DescribeTopicPartitions: { key: 75, min: 0, max: 0 },
} as const satisfies { readonly [name: string]: SupportedApi }

export type SupportedName = keyof typeof TABLE

export const SUPPORTED: readonly (SupportedApi & { readonly name: SupportedName })[] = Object.entries(TABLE).map(
  // The keys of the table are its names.
  ([name, api]) => ({ ...api, name: name as SupportedName }),
)
