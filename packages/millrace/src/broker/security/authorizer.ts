/** Who may do what. The words and their numbers are Kafka's (`AclOperation`, `ResourceType`). */

/** In the order of their numbers. */
export const OPERATIONS = [
  'Unknown',
  'Any',
  'All',
  'Read',
  'Write',
  'Create',
  'Delete',
  'Alter',
  'Describe',
  'ClusterAction',
  'DescribeConfigs',
  'AlterConfigs',
  'IdempotentWrite',
  'CreateTokens',
  'DescribeTokens',
  'TwoPhaseCommit',
] as const
/** What a client wants to do, under the names of Kafka. */
export type Operation = (typeof OPERATIONS)[number]

/** In the order of their numbers. */
export const RESOURCE_TYPES = [
  'Unknown',
  'Any',
  'Topic',
  'Group',
  'Cluster',
  'TransactionalId',
  'DelegationToken',
  'User',
] as const
/** What it wants to do that with, under the names of Kafka. */
export type ResourceType = (typeof RESOURCE_TYPES)[number]

/** The only resource of type `Cluster`. */
export const CLUSTER_NAME = 'kafka-cluster'

/** What a client wants to do. */
export interface Action {
  /** `User:` and a name; `User:ANONYMOUS` without authentication. */
  readonly principal: string
  /** Address of the client. */
  readonly host: string
  /** What is to be done, such as `READ`. */
  readonly operation: Operation
  /** What it is to be done with, such as `TOPIC`. */
  readonly resourceType: ResourceType
  /** Name of the topic, group, or whatever it is. */
  readonly resourceName: string
}

/** Decides whether an action is allowed. */
export type Authorize = (action: Action) => boolean

/** Operations that one of these others implies. */
export const IMPLIED_BY: { readonly [operation in Operation]?: readonly Operation[] } = {
  Describe: ['Read', 'Write', 'Delete', 'Alter'],
  DescribeConfigs: ['AlterConfigs'],
}

/** All operations that there are for resources of a type; those that a client may use are reported as bits. */
export const OPERATIONS_OF: { readonly [type in ResourceType]?: readonly Operation[] } = {
  Topic: ['Read', 'Write', 'Create', 'Delete', 'Alter', 'Describe', 'DescribeConfigs', 'AlterConfigs'],
  Group: ['Read', 'Delete', 'Describe', 'DescribeConfigs', 'AlterConfigs'],
  Cluster: ['Create', 'Alter', 'Describe', 'ClusterAction', 'DescribeConfigs', 'AlterConfigs', 'IdempotentWrite'],
}
