/**
 * What the principal of a client may do with topics and groups, as the brokers say it when they are asked (KIP-430).
 */
import { type BrokerError, isMillraceError } from '../../errors/index.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import { DESCRIBE_GROUPS } from '../protocol/groups.ts'
import { brokerError } from '../protocol/kafka-errors.ts'
import { METADATA, metadataOf } from '../protocol/metadata.ts'

/** Numbers of `AclOperation` in Kafka, which are bits of what is permitted. */
const OPERATIONS = { READ: 3, WRITE: 4 } as const
export type Operation = keyof typeof OPERATIONS

/** Brokers that are not asked, or that keep no permissions for it, answer this. */
const UNKNOWN = -2_147_483_648

/**
 * Whether an operation on topics is permitted.
 * @returns false where the brokers do not say
 * @throws {BrokerError} `NOT_AUTHORIZED` for the first topic for which it is not; {ConnectionError}
 */
export async function requireTopics(
  cluster: Cluster,
  topics: readonly string[],
  operation: Operation,
  signal: AbortSignal,
): Promise<boolean> {
  const request = { ...metadataOf(topics), includeTopicAuthorizedOperations: true }
  const answer = await cluster.request('any', METADATA, () => request, { signal })
  return answer.topics
    .map(({ name, topicAuthorizedOperations: permitted }) => {
      if (!isDenied(permitted, operation)) return isKnown(permitted)
      const verb = operation === 'READ' ? 'read' : 'write to'
      throw brokerError(ERROR.TOPIC_AUTHORIZATION_FAILED, `Cannot ${verb} topic "${name}"`, {
        topic: name ?? '',
        grant: `${operation} on topic "${name}"`,
      })
    })
    .every(Boolean)
}

/**
 * Whether a consumer may be a member of a group. A group that does not exist yet, or that speaks the protocol of KIP-848, says nothing.
 * @returns false where the brokers do not say @throws {BrokerError} `NOT_AUTHORIZED`; {ConnectionError}
 */
export async function requireGroup(cluster: Cluster, groupId: string, signal: AbortSignal): Promise<boolean> {
  const coordinator = new GroupCoordinator(cluster, groupId)
  const grant = `READ on group "${groupId}"`
  const denied = (): BrokerError =>
    brokerError(ERROR.GROUP_AUTHORIZATION_FAILED, `Cannot join group "${groupId}"`, { grant })
  const request = { groups: [groupId], includeAuthorizedOperations: true }
  const answer = await coordinator
    .request(DESCRIBE_GROUPS, () => request, { signal })
    .catch((error: unknown) => {
      throw isMillraceError(error) && error.code === 'NOT_AUTHORIZED' ? denied() : error
    })
  const { errorCode, authorizedOperations } = answer.groups[0]!
  if (errorCode === ERROR.GROUP_AUTHORIZATION_FAILED || isDenied(authorizedOperations, 'READ')) throw denied()
  return isKnown(authorizedOperations)
}

function isKnown(permitted: number | undefined): boolean {
  return permitted !== undefined && permitted !== UNKNOWN
}

function isDenied(permitted: number | undefined, operation: Operation): boolean {
  return permitted !== undefined && permitted !== UNKNOWN && (permitted & (1 << OPERATIONS[operation])) === 0
}
