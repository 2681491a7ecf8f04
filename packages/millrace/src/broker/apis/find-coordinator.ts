/** FindCoordinator (10): the node that coordinates a group or a transactional id; several at once from version 4 on. */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  type Coordinator,
  findCoordinatorApi,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from '../../protocol/messages/find-coordinator.ts'
import { TOPIC_OF_COORDINATOR } from '../cluster/internal-topics.ts'
import type { CoordinatorKind } from '../groups/coordinator.ts'
import type { Call, Handler } from './handler.ts'

/** Numbers of kinds; the coordinators of share groups are not there. */
const KINDS: readonly CoordinatorKind[] = ['group', 'transaction']
const NO_NODE = { nodeId: -1, host: '', port: -1 }

export const findCoordinator: Handler<FindCoordinatorRequest, FindCoordinatorResponse> = {
  api: findCoordinatorApi,
  handle: (request, call) =>
    respond(
      keysOf(request, call).map((key) => find(key, request.keyType, call)),
      call,
    ),
  refuse: (request, errorCode, call) =>
    respond(
      keysOf(request, call).map((key) => failed(key, errorCode)),
      call,
    ),
  subjects(request, call) {
    const [key] = keysOf(request, call)
    if (key === undefined) return {}
    return request.keyType === 1 ? { transactionalId: key } : { group: key }
  },
}

function keysOf({ key, coordinatorKeys }: Decoded<FindCoordinatorRequest>, { version }: Call): readonly string[] {
  return version >= 4 ? coordinatorKeys : [key]
}

function find(key: string, keyType: number, call: Call): Coordinator {
  const { cluster, groups } = call.broker
  const kind = KINDS[keyType]
  if (kind === undefined) return failed(key, ERROR.INVALID_REQUEST)
  if (key === '') return failed(key, kind === 'group' ? ERROR.INVALID_GROUP_ID : ERROR.INVALID_REQUEST)
  if (kind === 'group' && !call.permits('Describe', 'Group', key)) return failed(key, ERROR.GROUP_AUTHORIZATION_FAILED)
  if (kind === 'transaction' && !call.permits('Describe', 'TransactionalId', key))
    return failed(key, ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  const internal = TOPIC_OF_COORDINATOR[kind]
  if (cluster.topic(internal) === undefined) cluster.autoCreate(internal)
  const node = cluster.node(groups.places.of(kind, key) ?? -1)
  if (node === undefined) return failed(key, ERROR.COORDINATOR_NOT_AVAILABLE)
  return { key, nodeId: node.id, host: node.host, port: node.port, errorCode: 0, errorMessage: '' }
}

function failed(key: string, errorCode: number): Coordinator {
  return { key, ...NO_NODE, errorCode, errorMessage: null }
}

function respond(coordinators: readonly Coordinator[], { version }: Call): FindCoordinatorResponse {
  if (version >= 4) return { coordinators }
  const { errorCode, errorMessage, nodeId, host, port } = coordinators[0]!
  return { errorCode, nodeId, host, port, ...(version >= 1 ? { errorMessage } : {}) }
}
