/**
 * Which permission each API needs, as in Kafka's documentation. A request is refused as a whole, or its parts are, each with the
 * error of its kind. What an answer leaves out instead of refusing it (lists of topics, groups, transactions) is decided by the
 * handler.
 *
 * @see https://kafka.apache.org/documentation/#operations_resources_and_protocols
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Call, Handler } from '../apis/handler.ts'
import type { SupportedName } from '../apis/supported.ts'
import { topicOf } from '../apis/topics.ts'
import { CLUSTER_NAME, type Operation, type ResourceType } from './authorizer.ts'

interface Need {
  readonly operation: Operation
  readonly type: ResourceType
  readonly name: string
  /** Is as good. */
  readonly or?: Need
}

/** The fields of requests that are looked at; each request has some of them. */
interface Fields {
  readonly acks: number
  readonly groupId: string
  readonly transactionalId: string | null
  readonly subscribedTopicNames: readonly string[] | null
}

/** An entry of a list: a name, or something that has one. */
type Entry =
  | string
  | {
      readonly name?: string | null
      readonly topic?: string
      readonly topicId?: string
      readonly resourceName?: string
      readonly resourceType?: number
    }

interface Parts {
  /** Lists of the request, of which one is used. */
  readonly lists: readonly string[]
  /** The list of the response with an entry for each part. */
  readonly answers: string
  readonly need: (entry: Entry, call: Call) => Need | undefined
}

interface Rule {
  readonly whole?: (request: Fields, call: Call) => readonly Need[]
  readonly parts?: Parts
}

const REFUSALS: { readonly [type in ResourceType]?: number } = {
  Topic: ERROR.TOPIC_AUTHORIZATION_FAILED,
  Group: ERROR.GROUP_AUTHORIZATION_FAILED,
  Cluster: ERROR.CLUSTER_AUTHORIZATION_FAILED,
  TransactionalId: ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}

const cluster = (operation: Operation): Need => ({ operation, type: 'Cluster', name: CLUSTER_NAME })
const group =
  (operation: Operation) =>
  ({ groupId: name }: Fields): Need[] => [{ operation, type: 'Group', name }]
const transaction = ({ transactionalId }: Fields): Need[] =>
  transactionalId === null ? [] : [{ operation: 'Write', type: 'TransactionalId', name: transactionalId }]

/** Of a topic that is named, or has an id; one with an unknown id has no name to ask for. */
const topic =
  (operation: Operation) =>
  (entry: Entry, call: Call): Need | undefined => {
    if (typeof entry === 'string') return { operation, type: 'Topic', name: entry }
    const { topicId } = entry
    const given = entry.name ?? entry.topic ?? ''
    const name =
      given === '' && topicId !== undefined ? topicOf(call.broker.cluster, { name: null, topicId })?.name : given
    return name === undefined ? undefined : { operation, type: 'Topic', name }
  }
const topics = (operation: Operation, answers = 'topics', ...lists: string[]): Parts => ({
  lists: lists.length > 0 ? lists : ['topics'],
  answers,
  need: topic(operation),
})
const named = (list: string, answers: string, operation: Operation, type: ResourceType): Rule => ({
  // Entries of these lists are names.
  parts: { lists: [list], answers, need: (entry) => ({ operation, type, name: entry as string }) },
})

/** Numbers of topics and groups among the kinds of resources with settings; others belong to the cluster. */
const TOPIC_CONFIGS = 2
const GROUP_CONFIGS = 32
const configs = (operation: Operation, answers: string): Rule => ({
  parts: {
    lists: ['resources'],
    answers,
    need: (entry) => {
      const { resourceType, resourceName: name = '' } = entry as Exclude<Entry, string>
      if (resourceType === TOPIC_CONFIGS) return { operation, type: 'Topic', name }
      return resourceType === GROUP_CONFIGS ? { operation, type: 'Group', name } : cluster(operation)
    },
  },
})

const RULES: { readonly [name in SupportedName]?: Rule } = {
  Produce: { whole: transaction, parts: topics('Write', 'responses', 'topicData') },
  ListOffsets: { parts: topics('Describe') },
  OffsetCommit: { whole: group('Read'), parts: topics('Read') },
  JoinGroup: { whole: group('Read') },
  SyncGroup: { whole: group('Read') },
  Heartbeat: { whole: group('Read') },
  LeaveGroup: { whole: group('Read') },
  DescribeGroups: named('groups', 'groups', 'Describe', 'Group'),
  DeleteGroups: named('groupsNames', 'results', 'Delete', 'Group'),
  CreateTopics: {
    parts: {
      ...topics('Create'),
      need: (entry, call) => ({ ...topic('Create')(entry, call)!, or: cluster('Create') }),
    },
  },
  DeleteTopics: { parts: topics('Delete', 'responses', 'topics', 'topicNames') },
  CreatePartitions: { parts: topics('Alter', 'results') },
  DeleteRecords: { parts: topics('Delete') },
  InitProducerId: {
    whole: (request, call) => {
      if (request.transactionalId !== null) return transaction(request)
      // A principal that may write to any topic may write idempotently (KIP-679).
      const writable = call.broker.cluster.topics().some(({ name }) => call.permits('Write', 'Topic', name))
      return writable ? [] : [cluster('IdempotentWrite')]
    },
  },
  OffsetForLeaderEpoch: { parts: topics('Describe') },
  AddOffsetsToTxn: { whole: (request) => [...transaction(request), ...group('Read')(request)] },
  EndTxn: { whole: transaction },
  TxnOffsetCommit: {
    whole: (request) => [...transaction(request), ...group('Read')(request)],
    parts: topics('Read'),
  },
  WriteTxnMarkers: { whole: () => [{ ...cluster('ClusterAction'), or: cluster('Alter') }] },
  DescribeConfigs: configs('DescribeConfigs', 'results'),
  AlterConfigs: configs('AlterConfigs', 'responses'),
  IncrementalAlterConfigs: configs('AlterConfigs', 'responses'),
  AlterReplicaLogDirs: { whole: () => [cluster('Alter')] },
  ElectLeaders: { whole: () => [cluster('Alter')] },
  AlterPartitionReassignments: { whole: () => [cluster('Alter')] },
  ListPartitionReassignments: { whole: () => [cluster('Describe')] },
  DescribeLogDirs: { whole: () => [cluster('Describe')] },
  OffsetDelete: { whole: group('Delete'), parts: topics('Read') },
  DescribeProducers: { parts: topics('Read') },
  DescribeTransactions: named('transactionalIds', 'transactionStates', 'Describe', 'TransactionalId'),
  ConsumerGroupHeartbeat: {
    whole: (request) => [
      ...group('Read')(request),
      ...(request.subscribedTopicNames ?? []).map((name): Need => ({ operation: 'Describe', type: 'Topic', name })),
    ],
  },
  ConsumerGroupDescribe: named('groupIds', 'groups', 'Describe', 'Group'),
  ListConfigResources: { whole: () => [cluster('DescribeConfigs')] },
  DescribeAcls: { whole: () => [cluster('Describe')] },
  CreateAcls: { whole: () => [cluster('Alter')] },
  DeleteAcls: { whole: () => [cluster('Alter')] },
  DescribeUserScramCredentials: { whole: () => [cluster('Describe')] },
  AlterUserScramCredentials: { whole: () => [cluster('Alter')] },
}

type AnyMessage = Readonly<{ [field: string]: unknown }>
type AnyHandler = Handler<unknown, unknown>

function isMet(need: Need, call: Call): boolean {
  return call.permits(need.operation, need.type, need.name) || (need.or !== undefined && isMet(need.or, call))
}

/** Handles what the client may do of a request, and refuses the rest. */
export function handlePermitted(handler: AnyHandler, asked: object, call: Call): unknown {
  const request = asked as AnyMessage
  // The names of handlers are those of the table.
  const { whole, parts } = RULES[handler.api.name as SupportedName] ?? {}
  const missing = whole?.(request as unknown as Fields, call).find((need) => !isMet(need, call))
  if (missing !== undefined) return refused(handler, request, REFUSALS[missing.type]!, call)
  if (parts === undefined) return handler.handle(request, call)
  const list = parts.lists.find((name) => ((request[name] ?? []) as readonly Entry[]).length > 0)
  if (list === undefined) return handler.handle(request, call)
  const entries = request[list] as readonly Entry[]
  const needs = entries.map((entry) => parts.need(entry, call))
  const isRefused = needs.map((need) => need !== undefined && !isMet(need, call))
  if (!isRefused.includes(true)) return handler.handle(request, call)
  const codes = needs.map((need, i) => (isRefused[i]! ? REFUSALS[need!.type]! : 0))
  return handleParts(handler, request, { list, answers: parts.answers, codes }, call)
}

async function handleParts(
  handler: AnyHandler,
  request: AnyMessage,
  { list, answers, codes }: { list: string; answers: string; codes: readonly number[] },
  call: Call,
): Promise<AnyMessage | undefined> {
  const entries = request[list] as readonly Entry[]
  const only = (code: number): AnyMessage => ({ ...request, [list]: entries.filter((_, i) => codes[i] === code) })
  const responses = codes.includes(0) ? [(await handler.handle(only(0), call)) as AnyMessage | undefined] : []
  for (const code of new Set(codes)) if (code !== 0) responses.push(refused(handler, only(code), code, call))
  const [first] = responses
  if (first === undefined || responses.includes(undefined)) return undefined
  return { ...first, [answers]: responses.flatMap((response) => response![answers] as unknown[]) }
}

/** Where there is no answer, all that can be done is to disconnect. */
function refused(handler: AnyHandler, request: AnyMessage, code: number, call: Call): AnyMessage | undefined {
  if (handler.api.name !== 'Produce' || request['acks'] !== 0) return handler.refuse(request, code, call) as AnyMessage
  call.disconnect()
  return undefined
}
