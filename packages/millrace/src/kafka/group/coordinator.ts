/**
 * Requests to the coordinator of one group, and what its error codes mean for a member.
 */
import {
  AbortedError,
  BrokerError,
  ConnectionError,
  type MillraceError,
  UnexpectedError,
  isMillraceError,
} from '../../errors/index.ts'
import type { Cluster, RequestOptions } from '../cluster/cluster.ts'
import type { ApiCall } from '../protocol/api-call.ts'
import { brokerError, isRetriableCode, kafkaErrorName } from '../protocol/kafka-errors.ts'

/** Connection for heartbeats, commits and leaving: none of these makes the broker wait. */
export const GROUP_LANE = 'group'

/**
 * What an error code of a coordinator means for a member:
 * `retry` later; `moved`: find the coordinator again and retry; `rebalance`: join again, keeping what is owned;
 * `stale`: the epoch has moved on, learn the new one; `lost`: the membership is over and with it all ownership; `fatal`.
 */
export type Verdict = 'ok' | 'retry' | 'moved' | 'rebalance' | 'stale' | 'lost' | 'fatal'

const VERDICTS: { readonly [kafkaName: string]: Verdict } = {
  NONE: 'ok',
  COORDINATOR_LOAD_IN_PROGRESS: 'retry',
  COORDINATOR_NOT_AVAILABLE: 'moved',
  NOT_COORDINATOR: 'moved',
  REBALANCE_IN_PROGRESS: 'rebalance',
  STALE_MEMBER_EPOCH: 'stale',
  ILLEGAL_GENERATION: 'lost',
  UNKNOWN_MEMBER_ID: 'lost',
  FENCED_MEMBER_EPOCH: 'lost',
  GROUP_ID_NOT_FOUND: 'lost',
  FENCED_INSTANCE_ID: 'fatal',
}

export function verdictOf(code: number): Verdict {
  return code === 0 ? 'ok' : (VERDICTS[kafkaErrorName(code)] ?? (isRetriableCode(code) ? 'retry' : 'fatal'))
}

/** What a failed attempt means: by the error code for an answer, and for a broken connection that the coordinator may have moved. */
export function verdictOfError(error: unknown): Verdict {
  if (error instanceof BrokerError) return verdictOf(error.kafkaCode)
  return error instanceof ConnectionError && error.retriable ? 'moved' : 'fatal'
}

let sessions = 0

export class GroupCoordinator {
  readonly cluster: Cluster
  readonly groupId: string
  /** Connection for JoinGroup and SyncGroup, which a broker answers only when all members have come; so each session has its own. */
  readonly rebalanceLane = `rebalance-${++sessions}`
  readonly warn: ((message: string) => void) | undefined

  /** @param warn told when something takes longer than usual, and why */
  constructor(cluster: Cluster, groupId: string, warn?: (message: string) => void) {
    this.cluster = cluster
    this.groupId = groupId
    this.warn = warn
  }

  /**
   * Sends one request to the coordinator, finding it first when it is not known. Does not try again, but forgets the
   * coordinator when the connection broke, so that the next attempt looks for it.
   */
  async request<Q, R>(call: ApiCall<Q, R>, request: (version: number) => Q, options: RequestOptions): Promise<R> {
    try {
      const node = await this.cluster.coordinator('group', this.groupId, options.signal, options.timeoutMs)
      return await this.cluster.request(node, call, request, options)
    } catch (error) {
      if (verdictOfError(error) === 'moved') this.forget()
      throw error
    }
  }

  forget(): void {
    this.cluster.forgetCoordinator('group', this.groupId)
  }

  /**
   * Reads the error code of an answer.
   * @param action what was tried, with the name of the group
   * @throws {BrokerError} when there is one; `verdictOfError` says what it means
   */
  check(code: number, action: string, message?: string | null): void {
    if (code === 0) return
    if (verdictOf(code) === 'moved') this.forget()
    throw groupError(code, action, message)
  }
}

/** An error for a code of a coordinator: final ones say what can be done and have a code of their own. */
export function groupError(code: number, action: string, message?: string | null): BrokerError {
  const name = kafkaErrorName(code)
  if (verdictOf(code) !== 'fatal') return brokerError(code, action)
  const hint = HINTS[name] === undefined ? '' : `, ${HINTS[name]}`
  const told = message === undefined || message === null || message === '' ? '' : `: ${message.replace(/\.$/, '')}`
  return brokerError(code, action + hint + told, {
    code: name === 'FENCED_INSTANCE_ID' || name === 'UNRELEASED_INSTANCE_ID' ? 'MEMBER_FENCED' : 'GROUP_FAILED',
  })
}

/** What users can do about errors that no retry heals. */
const HINTS: { readonly [kafkaName: string]: string } = {
  FENCED_INSTANCE_ID: 'as another member with the same group.instance.id has taken over: give each member its own',
  UNRELEASED_INSTANCE_ID:
    'as another member with the same group.instance.id is still in the group: give each member its own',
  INVALID_SESSION_TIMEOUT:
    'as session.timeout.ms must be between group.min.session.timeout.ms and group.max.session.timeout.ms of the broker',
  INCONSISTENT_GROUP_PROTOCOL: 'as its members have no assignor in common with this one, or are not consumers',
  GROUP_MAX_SIZE_REACHED: 'as it has group.max.size members already',
  NON_EMPTY_GROUP: 'as it has members: stop them first',
  UNSUPPORTED_VERSION: 'as the broker does not support the consumer protocol of KIP-848: set group.protocol to classic',
  UNSUPPORTED_ASSIGNOR: 'as the broker does not have the assignor of group.remote.assignor',
}

/** Whatever a listener or a request threw, as an error of ours. */
export function asMillraceError(error: unknown, action: string): MillraceError {
  return isMillraceError(error)
    ? error
    : new UnexpectedError(`${action}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}

export function isAborted(error: unknown): boolean {
  return error instanceof AbortedError
}
