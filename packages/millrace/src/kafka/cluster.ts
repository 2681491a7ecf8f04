/**
 * A Kafka cluster as its clients see it: which broker leads which partition, who coordinates a group, and a connection
 * to each of them. Producer, fetcher, group session and admin all go through `request`.
 *
 * Metadata is refreshed when it is older than `metadataMaxAgeMs` or when somebody says that it is stale. Connections
 * are kept per broker and *lane*: a broker answers the requests of one connection in order, so a fetch that waits for
 * data must not stand in front of a heartbeat.
 */
import { setMaxListeners } from 'node:events'
import {
  findCoordinatorV3,
  findCoordinatorV4,
  metadataV9,
  metadataV10,
  metadataV11,
  metadataV12,
} from '@platformatic/kafka'
import {
  AbortedError,
  AuthenticationError,
  BrokerError,
  ClosedError,
  ConnectionError,
  isMillraceError,
} from '../errors/index.ts'
import { untilAborted } from '../resilience/abort.ts'
import { retry, type BackoffOptions } from '../resilience/retry.ts'
import { isHandshakeCut } from './connect-failure.ts'
import { BrokerConnection, type ApiCall, type ApiVersion, type SecurityOptions } from './connection.ts'
import { brokerError } from './protocol/kafka-errors.ts'

export type { ApiCall, ApiVersion, SecurityOptions } from './connection.ts'

export interface ClusterOptions extends SecurityOptions {
  /** `host:port` of some brokers; the others are found through them. */
  readonly bootstrapServers: readonly string[]
  readonly clientId: string
  /** How long one connection attempt may take; `socket.connection.setup.timeout.ms`, 10 s. */
  readonly connectTimeoutMs?: number
  /** How long a broker may take for an ordinary request; `request.timeout.ms`, 30 s. */
  readonly requestTimeoutMs?: number
  /** How long to keep trying before an operation fails; `default.api.timeout.ms`, 60 s. */
  readonly apiTimeoutMs?: number
  /** Age at which metadata is fetched again; `metadata.max.age.ms`, 5 min. */
  readonly metadataMaxAgeMs?: number
  /** `retry.backoff.ms`, 100 ms, doubling up to `retry.backoff.max.ms`, 1 s. */
  readonly retryBackoffMs?: number
  readonly retryBackoffMaxMs?: number
}

export interface PartitionMetadata {
  readonly partition: number
  /** Broker id; -1 when there is no leader at the moment. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  /** UUID of the topic, without which newer fetch versions cannot ask; undefined on brokers before 2.8. */
  readonly id: string | undefined
  readonly internal: boolean
  /** By partition number, without gaps. */
  readonly partitions: readonly PartitionMetadata[]
  readonly fetchedAt: number
}

export interface BrokerMetadata {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Who shall answer: a broker by id, any broker, or the controller. */
export type Target = number | 'any' | 'controller'

export interface RequestOptions {
  /** Separates connections that must not wait for one another, for instance `fetch` and `group`. */
  readonly lane?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
  /** Highest version to use, for instance 3 for AddPartitionsToTxn. */
  readonly maxVersion?: number
}

/** Arguments: topics (null for all), whether to create them, whether to say what is permitted. */
export const METADATA: ApiCall = {
  name: 'Metadata',
  key: 3,
  versions: {
    9: metadataV9.api as ApiVersion,
    10: metadataV10.api as ApiVersion,
    11: metadataV11.api as ApiVersion,
    12: metadataV12.api as ApiVersion,
  },
}

const FIND_COORDINATOR: ApiCall = {
  name: 'FindCoordinator',
  key: 10,
  versions: { 3: findCoordinatorV3.api as ApiVersion, 4: findCoordinatorV4.api as ApiVersion },
}

export interface MetadataAnswer {
  readonly brokers: readonly {
    readonly nodeId: number
    readonly host: string
    readonly port: number
    readonly rack?: string | null
  }[]
  readonly clusterId: string | null
  readonly controllerId: number
  readonly topics: readonly {
    readonly errorCode: number
    readonly name: string | null
    readonly topicId?: string
    readonly isInternal: boolean
    readonly partitions: readonly {
      readonly errorCode: number
      readonly partitionIndex: number
      readonly leaderId: number
      readonly leaderEpoch: number
      readonly replicaNodes: readonly number[]
      readonly isrNodes: readonly number[]
    }[]
  }[]
}

interface CoordinatorAnswer {
  readonly coordinators: readonly {
    readonly nodeId: number
    readonly host: string
    readonly port: number
    readonly errorCode: number
    readonly errorMessage: string | null
  }[]
}

const UNKNOWN_TOPIC_OR_PARTITION = 3
const TOPIC_AUTHORIZATION_FAILED = 29
const INVALID_TOPIC = 17

export class Cluster {
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly apiTimeoutMs: number
  readonly backoff: BackoffOptions
  readonly #options: ClusterOptions
  readonly #bootstrap: readonly { readonly host: string; readonly port: number }[]
  readonly metadataMaxAgeMs: number
  readonly #connections = new Map<string, Promise<BrokerConnection>>()
  readonly #open = new Map<string, BrokerConnection>()
  readonly #brokers = new Map<number, BrokerMetadata>()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #coordinators = new Map<string, number>()
  #refreshing: { readonly topics: ReadonlySet<string>; readonly done: Promise<void> } | undefined
  #controller = -1
  #clusterId: string | null = null
  #nextAny = 0
  readonly #closing = new AbortController()

  constructor(options: ClusterOptions) {
    this.#options = options
    setMaxListeners(0, this.#closing.signal) // one per connection that is being opened
    this.clientId = options.clientId
    this.requestTimeoutMs = options.requestTimeoutMs ?? 30_000
    this.apiTimeoutMs = options.apiTimeoutMs ?? 60_000
    this.metadataMaxAgeMs = options.metadataMaxAgeMs ?? 300_000
    this.backoff = { initialMs: options.retryBackoffMs ?? 100, maxMs: options.retryBackoffMaxMs ?? 1000 }
    this.#bootstrap = options.bootstrapServers.map(parseAddress)
  }

  get clusterId(): string | null {
    return this.#clusterId
  }
  get brokers(): readonly BrokerMetadata[] {
    return [...this.#brokers.values()]
  }
  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /**
   * Reaches one broker and learns about the others. Later calls do it on demand; this one is for an early, clear error.
   * @param warn told once when that takes longer than usual, and why
   * @throws {ConnectionError} `BROKER_UNREACHABLE` when no bootstrap server could be reached within `timeoutMs`
   */
  async connect(
    signal?: AbortSignal,
    timeoutMs: number = this.apiTimeoutMs,
    warn?: (message: string) => void,
  ): Promise<void> {
    const started = performance.now()
    const failures = new Map<string, Error>()
    let isTold = false
    const tell = (): void => {
      if (isTold || performance.now() - started < QUIET_MS) return
      isTold = true
      warn?.(
        `No broker could be reached so far, and it is tried for ${timeoutMs / 1000} s: ${reasonsOf(failures.values())}`,
      )
    }
    const isWorthwhile = (error: unknown): boolean =>
      isMillraceError(error) &&
      error.retriable &&
      // Brokers that are being started behind a proxy do this for a moment; a listener without TLS does it for ever.
      !(performance.now() - started > HANDSHAKE_PATIENCE_MS && [...failures.values()].every(isHandshakeCut))
    try {
      await retry(() => this.#fetchMetadata([], signal, failures), {
        timeoutMs,
        backoff: this.backoff,
        signal,
        isRetriable: isWorthwhile,
        onRetry: tell,
      })
    } catch (error) {
      if (!(error instanceof ConnectionError) || FINAL.has(error.code)) throw error
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      const all = [...failures.values()]
      const reasons = reasonsOf(all) || error.message
      throw all.length > 0 && all.every((failure) => isMillraceError(failure) && failure.code === 'TOKEN_UNAVAILABLE')
        ? new ConnectionError('TOKEN_UNAVAILABLE', `${reasons} (tried for ${seconds} s)`, { cause: error })
        : new ConnectionError('BROKER_UNREACHABLE', `No broker could be reached for ${seconds} s: ${reasons}`, {
            cause: error,
          })
    }
  }

  /**
   * What the cluster knows of a topic; from the cache while it is fresh.
   * @throws {BrokerError} `TOPIC_NOT_FOUND`
   */
  async topic(name: string, signal?: AbortSignal): Promise<TopicMetadata> {
    const known = this.#topics.get(name)
    if (known !== undefined && performance.now() - known.fetchedAt < this.metadataMaxAgeMs) return known
    await this.refresh([name], signal)
    return this.#topics.get(name)!
  }

  /** The cached topic, however old; undefined before the first `topic` or `refresh`. */
  cachedTopic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  /**
   * Asks for topics anew, trying again while brokers cannot be reached. Calls at the same time share one request.
   * @throws {BrokerError} `TOPIC_NOT_FOUND`; {ConnectionError} after `apiTimeoutMs`
   */
  async refresh(topics: readonly string[], signal?: AbortSignal): Promise<void> {
    const running = this.#refreshing
    if (running !== undefined && topics.every((topic) => running.topics.has(topic))) {
      try {
        return await running.done
      } catch (error) {
        // The signal of whoever asked first does not speak for this caller.
        if (!(error instanceof AbortedError) || signal?.aborted === true) throw error
      }
    }
    const done = retry(() => this.#fetchMetadata(topics, signal), {
      timeoutMs: this.apiTimeoutMs,
      backoff: this.backoff,
      signal,
    })
    const mine = { topics: new Set(topics), done }
    this.#refreshing = mine
    try {
      await done
    } finally {
      if (this.#refreshing === mine) this.#refreshing = undefined
    }
  }

  /** Leader of a partition by the cached metadata; -1 when unknown or when there is none at the moment. */
  leader(topic: string, partition: number): number {
    return this.#topics.get(topic)?.partitions[partition]?.leader ?? -1
  }

  /** Takes over a leader that a response named (KIP-951), which saves a metadata request. */
  updateLeader(topic: string, partition: number, leader: number, leaderEpoch: number): void {
    const known = this.#topics.get(topic)
    const old = known?.partitions[partition]
    if (
      known === undefined ||
      old === undefined ||
      leader < 0 ||
      !this.#brokers.has(leader) ||
      leaderEpoch <= old.leaderEpoch
    )
      return
    const partitions = known.partitions.slice()
    partitions[partition] = { ...old, leader, leaderEpoch }
    this.#topics.set(topic, { ...known, partitions })
  }

  /**
   * Broker that coordinates a group or a transactional id; remembered until `forgetCoordinator`.
   * @throws {BrokerError} for instance COORDINATOR_NOT_AVAILABLE (retriable)
   */
  async coordinator(type: 'group' | 'transaction', key: string, signal?: AbortSignal): Promise<number> {
    const id = `${type}:${key}`
    const known = this.#coordinators.get(id)
    if (known !== undefined) return known
    const answer = await this.request<CoordinatorAnswer>(
      'any',
      FIND_COORDINATOR,
      () => [type === 'group' ? 0 : 1, [key]],
      { signal },
    )
    const found = answer.coordinators[0]!
    if (found.errorCode !== 0) throw brokerError(found.errorCode, `Cannot find the coordinator of ${type} "${key}"`)
    this.#brokers.set(found.nodeId, {
      rack: null,
      ...this.#brokers.get(found.nodeId),
      id: found.nodeId,
      host: found.host,
      port: found.port,
    })
    this.#coordinators.set(id, found.nodeId)
    return found.nodeId
  }

  /** After NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE or a lost connection. */
  forgetCoordinator(type: 'group' | 'transaction', key: string): void {
    this.#coordinators.delete(`${type}:${key}`)
  }

  /** Version of a call that would be used with a broker; connects if need be. */
  async version(target: Target, call: ApiCall, options: RequestOptions = {}): Promise<number> {
    const connection = await this.#connectionTo(target, options.lane ?? 'control', options.signal)
    return connection.version(call, options.maxVersion)
  }

  /** Level of a finalized feature as a broker knows it; 0 when the cluster has not agreed on any. Connects if need be. */
  async feature(target: Target, name: string, options: RequestOptions = {}): Promise<number> {
    const connection = await this.#connectionTo(target, options.lane ?? 'control', options.signal)
    return connection.feature(name)
  }

  /**
   * Sends one request and gives its response, error codes included. Does not try again.
   *
   * @param args writes the arguments of the protocol library's `createRequest` for the version agreed on
   * @throws {ConnectionError} {AbortedError}
   */
  async request<R>(
    target: Target,
    call: ApiCall,
    args: (version: number) => readonly unknown[],
    options: RequestOptions = {},
  ): Promise<R> {
    const connection = await this.#connectionTo(target, options.lane ?? 'control', options.signal)
    const version = connection.version(call, options.maxVersion)
    return connection.send<R>(call, version, args(version), {
      timeoutMs: options.timeoutMs ?? this.requestTimeoutMs,
      signal: options.signal,
    })
  }

  /** Closes all connections; requests under way fail. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort()
    const connections = [...this.#connections.values()]
    this.#connections.clear()
    this.#open.clear()
    await Promise.all(
      connections.map((opening) =>
        opening.then(
          (connection) => connection.close(),
          () => {},
        ),
      ),
    )
  }

  async #fetchMetadata(
    topics: readonly string[],
    signal: AbortSignal | undefined,
    failures?: Map<string, Error>,
  ): Promise<void> {
    const answer = await this.#askAnyBroker(topics, signal, failures)
    this.#clusterId = answer.clusterId
    this.#controller = answer.controllerId
    for (const { nodeId, host, port, rack } of answer.brokers)
      this.#brokers.set(nodeId, { id: nodeId, host, port, rack: rack ?? null })
    const now = performance.now()
    for (const topic of answer.topics) {
      if (topic.name === null) continue
      if (topic.errorCode !== 0) {
        this.#topics.delete(topic.name)
        throw topicError(topic.errorCode, topic.name)
      }
      const partitions: PartitionMetadata[] = []
      for (const p of topic.partitions) {
        partitions[p.partitionIndex] = {
          partition: p.partitionIndex,
          leader: p.leaderId,
          leaderEpoch: p.leaderEpoch,
          replicas: p.replicaNodes,
          inSyncReplicas: p.isrNodes,
        }
      }
      this.#topics.set(topic.name, {
        name: topic.name,
        id: topic.topicId,
        internal: topic.isInternal,
        partitions,
        fetchedAt: now,
      })
    }
  }

  /** Asks the known brokers in turn, then the bootstrap servers, until one answers. */
  async #askAnyBroker(
    topics: readonly string[],
    signal: AbortSignal | undefined,
    failures: Map<string, Error> | undefined,
  ): Promise<MetadataAnswer> {
    const known = [...this.#brokers.keys()]
    const candidates: (number | string)[] = [
      ...rotate(known, this.#nextAny++),
      ...this.#bootstrap.map((_, i) => `bootstrap-${i}`),
    ]
    let last: unknown
    for (const candidate of candidates) {
      try {
        const connection = await this.#connection(candidate, 'control', signal)
        const version = connection.version(METADATA)
        return await connection.send<MetadataAnswer>(METADATA, version, [topics, false, false], {
          timeoutMs: this.requestTimeoutMs,
          signal,
        })
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error
        if (FINAL.has(error.code)) throw error
        if (error.code === 'BROKER_DISCONNECTED' && known.length === 0) await this.#refuseWithoutSasl(candidate, signal)
        failures?.set(String(candidate), error)
        last = error
      }
    }
    throw last
  }

  /** A broker that wants SASL closes the connection at the first request without a word. */
  async #refuseWithoutSasl(node: number | string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#options.sasl !== undefined) return
    const connection = await this.#connection(node, 'probe', signal).catch(() => undefined)
    const mechanisms = await connection?.offeredMechanisms(this.requestTimeoutMs)
    await connection?.close()
    if (mechanisms === undefined) return
    const protocol = this.#options.tls === undefined ? 'SASL_PLAINTEXT' : 'SASL_SSL'
    throw new AuthenticationError(
      `Broker "${connection!.address}" asks for SASL: set security.protocol to ${protocol} and sasl.mechanism to ${mechanisms.join(' or ')}`,
    )
  }

  async #connectionTo(target: Target, lane: string, signal: AbortSignal | undefined): Promise<BrokerConnection> {
    if (typeof target === 'number') return this.#connection(target, lane, signal)
    if (this.#brokers.size === 0) await this.refresh([], signal)
    if (target === 'controller' && this.#brokers.has(this.#controller))
      return this.#connection(this.#controller, lane, signal)
    let last: unknown
    for (const id of rotate([...this.#brokers.keys()], this.#nextAny++)) {
      try {
        return await this.#connection(id, lane, signal)
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  /** An open connection, or one that is being opened; others may wait for it too, so a signal ends only the waiting. */
  #connection(node: number | string, lane: string, signal: AbortSignal | undefined): Promise<BrokerConnection> {
    const connection = this.#keptConnection(node, lane)
    return this.#open.has(`${node}/${lane}`) ? connection : untilAborted(connection, 'Connecting', signal)
  }

  #keptConnection(node: number | string, lane: string): Promise<BrokerConnection> {
    if (this.#closing.signal.aborted) return Promise.reject(new ClosedError('a client'))
    const key = `${node}/${lane}`
    const known = this.#connections.get(key)
    if (known !== undefined && this.#open.get(key)?.isOpen !== false) return known
    const address =
      typeof node === 'string' ? this.#bootstrap[Number(node.slice('bootstrap-'.length))] : this.#brokers.get(node)
    if (address === undefined)
      return Promise.reject(
        new ConnectionError('BROKER_UNREACHABLE', `Broker ${node} is not part of the cluster at the moment`),
      )
    this.#open.delete(key)
    const opening = BrokerConnection.open(address.host, address.port, {
      ...this.#options,
      connectTimeoutMs: this.#options.connectTimeoutMs ?? 10_000,
      signal: this.#closing.signal,
    })
    this.#connections.set(key, opening)
    opening.then(
      (connection) => {
        if (this.#closing.signal.aborted) return connection.close()
        if (this.#connections.get(key) === opening) this.#open.set(key, connection)
        return undefined
      },
      () => {
        if (this.#connections.get(key) === opening) this.#connections.delete(key)
      },
    )
    return opening
  }
}

/** How long connecting may fail before the operator is told. */
const QUIET_MS = 3000

function reasonsOf(failures: Iterable<Error>): string {
  return [...new Set([...failures].map(({ message }) => message))].join('; ')
}

/** How long a client puts up with listeners that close the connection in the TLS handshake. */
const HANDSHAKE_PATIENCE_MS = 5000

/** Trying again, or another broker, would not help. */
const FINAL: ReadonlySet<string> = new Set(['AUTHENTICATION_FAILED', 'TLS_FAILED'])

function rotate<T>(list: readonly T[], by: number): T[] {
  const start = list.length === 0 ? 0 : by % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}

/** Splits `host:port`; IPv6 addresses stand in brackets. The port is 9092 when it is missing. */
export function parseAddress(text: string): { host: string; port: number } {
  const match = /^\s*(?:[A-Z_]+:\/\/)?(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?\s*$/.exec(text)
  if (match === null)
    throw new ConnectionError(
      'BROKER_UNREACHABLE',
      `Cannot read broker address "${text}" as it must have the form host:port`,
    )
  return { host: (match[1] ?? match[2])!, port: match[3] === undefined ? 9092 : Number(match[3]) }
}

function topicError(code: number, name: string): BrokerError {
  if (code === UNKNOWN_TOPIC_OR_PARTITION) {
    return brokerError(
      code,
      `Topic "${name}" does not exist on the cluster; create it, or let createTopic (create_topic of connectors) do so`,
      {
        code: 'TOPIC_NOT_FOUND',
        topic: name,
        retriable: false,
      },
    )
  }
  if (code === TOPIC_AUTHORIZATION_FAILED)
    return brokerError(code, `No permission to describe topic "${name}"`, { code: 'TOPIC_NOT_FOUND', topic: name })
  if (code === INVALID_TOPIC)
    return brokerError(code, `"${name}" cannot be the name of a topic`, { code: 'TOPIC_NOT_FOUND', topic: name })
  return brokerError(code, `Cannot read the metadata of topic "${name}"`, { topic: name })
}

/** Whether an error means that cached leaders or coordinators may be wrong. */
export function isStaleMetadata(error: unknown): boolean {
  if (error instanceof BrokerError) return STALE.has(error.kafkaName)
  return isMillraceError(error) && error instanceof ConnectionError && error.retriable
}

const STALE: ReadonlySet<string> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'KAFKA_STORAGE_ERROR',
  'REPLICA_NOT_AVAILABLE',
  'BROKER_NOT_AVAILABLE',
  'INCONSISTENT_TOPIC_ID',
])
