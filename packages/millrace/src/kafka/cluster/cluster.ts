/**
 * A Kafka cluster as its clients see it: which broker leads which partition, who coordinates a group, and a connection
 * to each of them. Producer, fetcher, group session and admin all go through `request`.
 *
 * Metadata is refreshed when it is older than `metadataMaxAgeMs` or when somebody says that it is stale. How connections
 * are kept is in `connections.ts`, what is known of brokers and topics in `metadata-cache.ts`.
 */
import { AuthenticationError, ConnectionError, isMillraceError } from '../../errors/index.ts'
import type { Meter } from '../../metrics/counters.ts'
import type { Happenings } from '../../metrics/events.ts'
import { untilAborted } from '../../resilience/abort.ts'
import { retry, type BackoffOptions, sleep } from '../../resilience/retry.ts'
import { isFinal, parseAddress, untilReached } from './bootstrap.ts'
import type { BrokerConnection, SecurityOptions } from './connection.ts'
import type { ApiCall, ApiName } from '../protocol/api-call.ts'
import { type BrokerNode, Connections } from './connections.ts'
import { ConnectionMetrics } from './connection-metrics.ts'
import { type BrokerMetadata, MetadataCache, type TopicMetadata } from './metadata-cache.ts'
import { MetadataRounds, type TopicErrors } from './metadata-rounds.ts'
import { FIND_COORDINATOR, findCoordinatorOf } from '../protocol/find-coordinator.ts'
import { brokerError } from '../protocol/kafka-errors.ts'
import { METADATA, type MetadataAnswer, metadataOf } from '../protocol/metadata.ts'

export type { SecurityOptions } from './connection.ts'

/** How long a topic that was just created may be unknown to the broker that is asked. */
const NEW_TOPIC_MS = 1000

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
  /** Counts connections and requests; not counted when omitted. */
  readonly meter?: Meter | undefined
  /** What listens to connections that come and go; the channels when omitted. */
  readonly happenings?: Happenings | undefined
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

/** So many brokers must not know a topic before it is believed not to exist. */
const BROKERS_TO_BELIEVE = 3

/** That no broker answers. */
export interface Unreachable {
  /** As `performance.now()` has it. */
  readonly since: number
  /** Why the last one that was tried did not. */
  readonly reason: string
}

export class Cluster {
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly apiTimeoutMs: number
  readonly backoff: BackoffOptions
  readonly metadataMaxAgeMs: number
  readonly #options: ClusterOptions
  readonly #metadata = new MetadataCache()
  readonly #connections: Connections
  readonly #coordinators = new Map<string, number>()
  readonly #rounds = new MetadataRounds((topics) => this.#fetchMetadata(topics, undefined))
  #nextAny = 0
  #unreachable: Unreachable | undefined

  constructor(options: ClusterOptions) {
    this.#options = options
    this.clientId = options.clientId
    this.requestTimeoutMs = options.requestTimeoutMs ?? 30_000
    this.apiTimeoutMs = options.apiTimeoutMs ?? 60_000
    this.metadataMaxAgeMs = options.metadataMaxAgeMs ?? 300_000
    this.backoff = { initialMs: options.retryBackoffMs ?? 100, maxMs: options.retryBackoffMaxMs ?? 1000 }
    const bootstrap = new Map(options.bootstrapServers.map((server, i) => [bootstrapNode(i), parseAddress(server)]))
    const { connectTimeoutMs = 10_000, meter } = options
    const metrics = meter && new ConnectionMetrics(meter)
    this.#connections = new Connections({ ...options, connectTimeoutMs, metrics }, (node) =>
      typeof node === 'number' ? this.#metadata.brokers.get(node) : bootstrap.get(node),
    )
  }

  get clusterId(): string | null {
    return this.#metadata.clusterId
  }
  get brokers(): readonly BrokerMetadata[] {
    return [...this.#metadata.brokers.values()]
  }
  /** Grows whenever what is known of topics or leaders has changed. */
  get metadataVersion(): number {
    return this.#metadata.version
  }
  get isClosed(): boolean {
    return this.#connections.isClosed
  }

  /** Since when no broker has answered, and why; undefined while one does, and before the first attempt. */
  get unreachable(): Unreachable | undefined {
    return this.#unreachable
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
    const attempt = async (failures: Map<string, Error>): Promise<void> => {
      await this.#fetchMetadata([], signal, failures)
    }
    await untilReached(attempt, {
      timeoutMs,
      backoff: this.backoff,
      signal,
      warn,
    })
  }

  /**
   * What the cluster knows of a topic; from the cache while it is fresh.
   * @throws {BrokerError} `TOPIC_NOT_FOUND`
   */
  async topic(name: string, signal?: AbortSignal): Promise<TopicMetadata> {
    const known = this.#metadata.topics.get(name)
    if (known !== undefined && !this.isStale(known)) return known
    await this.refresh([name], signal)
    return this.#metadata.topics.get(name)!
  }

  /**
   * The same of a topic that may just have been created: other brokers hear of it a moment later than the one that was asked to.
   * @throws {BrokerError} `TOPIC_NOT_FOUND` after a second
   */
  newTopic(name: string, signal?: AbortSignal): Promise<TopicMetadata> {
    return retry(() => this.topic(name, signal), {
      timeoutMs: NEW_TOPIC_MS,
      backoff: this.backoff,
      signal,
      isRetriable: (error) => isMillraceError(error) && error.code === 'TOPIC_NOT_FOUND',
    })
  }

  /** Whether it is time to ask again about a topic: `topic` would. */
  isStale({ fetchedAt }: TopicMetadata): boolean {
    return performance.now() - fetchedAt >= this.metadataMaxAgeMs
  }

  /** The cached topic, however old; undefined before the first `topic` or `refresh`. */
  cachedTopic(name: string): TopicMetadata | undefined {
    return this.#metadata.topics.get(name)
  }

  /**
   * Asks for topics anew, trying again while brokers cannot be reached. Calls at the same time share one request.
   * @throws {BrokerError} `TOPIC_NOT_FOUND`; {ConnectionError} after `apiTimeoutMs`
   */
  async refresh(topics: readonly string[], signal?: AbortSignal): Promise<void> {
    await retry(
      async () => {
        const errors = await untilAborted(this.#rounds.join(topics), 'Asking for metadata', signal)
        for (const topic of topics) {
          const error = errors.get(topic)
          if (error !== undefined) throw error
        }
      },
      { timeoutMs: this.apiTimeoutMs, backoff: this.backoff, signal },
    )
  }

  /** Leader of a partition by the cached metadata; -1 when unknown or when there is none at the moment. */
  leader(topic: string, partition: number): number {
    return this.#metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1
  }

  /** Epoch of that leader; -1 when it is not known. */
  leaderEpoch(topic: string, partition: number): number {
    return this.#metadata.topics.get(topic)?.partitions[partition]?.leaderEpoch ?? -1
  }

  /** `host:port` of a broker, for messages. */
  addressOf(broker: number): string {
    const known = this.#metadata.brokers.get(broker)
    return known === undefined ? `broker ${broker}` : `${known.host}:${known.port}`
  }

  /** Takes over a leader that a response named (KIP-951), which saves a metadata request. */
  updateLeader(topic: string, partition: number, leader: number, leaderEpoch: number): void {
    this.#metadata.updateLeader(topic, partition, leader, leaderEpoch)
  }

  /**
   * Broker that coordinates a group or a transactional id; remembered until `forgetCoordinator`.
   * @param timeoutMs how long the broker that is asked may take, if that is less than for an ordinary request
   * @throws {BrokerError} for instance COORDINATOR_NOT_AVAILABLE (retriable)
   */
  async coordinator(
    type: 'group' | 'transaction',
    key: string,
    signal?: AbortSignal,
    timeoutMs = Infinity,
  ): Promise<number> {
    const id = `${type}:${key}`
    const known = this.#coordinators.get(id)
    if (known !== undefined) return known
    const answer = await this.request('any', FIND_COORDINATOR, (version) => findCoordinatorOf(version, type, key), {
      signal,
      timeoutMs: Math.min(timeoutMs, this.requestTimeoutMs),
    })
    // Before version 4 the one that was asked for is in the response itself.
    const found = answer.coordinators[0] ?? answer
    if (found.errorCode !== 0) throw brokerError(found.errorCode, `Cannot find the coordinator of ${type} "${key}"`)
    this.#metadata.updateBroker(found.nodeId, found.host, found.port)
    this.#coordinators.set(id, found.nodeId)
    return found.nodeId
  }

  /** After NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE or a lost connection. */
  forgetCoordinator(type: 'group' | 'transaction', key: string): void {
    this.#coordinators.delete(`${type}:${key}`)
  }

  /** Version of a call that would be used with a broker; connects if need be. */
  async version(target: Target, call: ApiName, options: RequestOptions = {}): Promise<number> {
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
   * @param request makes the request for the version agreed on, just before it is sent
   * @throws {ConnectionError} {ProtocolError} {AbortedError}
   */
  async request<Q, R>(
    target: Target,
    call: ApiCall<Q, R>,
    request: (version: number) => Q,
    options: RequestOptions = {},
  ): Promise<R> {
    const connection = await this.#connectionTo(target, options.lane ?? 'control', options.signal)
    const version = connection.version(call, options.maxVersion)
    return connection.send(call, version, request(version), {
      timeoutMs: options.timeoutMs ?? this.requestTimeoutMs,
      signal: options.signal,
    })
  }

  /** Closes all connections; requests under way fail. May be called twice. */
  close(): Promise<void> {
    return this.#connections.close()
  }

  /** @returns what is wrong with single topics */
  async #fetchMetadata(
    topics: readonly string[],
    signal: AbortSignal | undefined,
    failures?: Map<string, Error>,
  ): Promise<TopicErrors> {
    const errors = new Map(this.#metadata.update(await this.#askAnyBroker(topics, signal, failures)))
    // A broker learns of a new topic a moment after others; only what several of them do not know does not exist.
    for (let asked = 1; asked < Math.min(BROKERS_TO_BELIEVE, this.#metadata.brokers.size); asked++) {
      const unknown = [...errors]
        .filter(([, { kafkaName }]) => kafkaName === 'UNKNOWN_TOPIC_OR_PARTITION')
        .map(([topic]) => topic)
      if (unknown.length === 0) break
      await sleep(this.backoff.initialMs, signal)
      const found = this.#metadata.update(await this.#askAnyBroker(unknown, signal, failures))
      for (const topic of unknown) {
        const error = found.get(topic)
        if (error === undefined) errors.delete(topic)
        else errors.set(topic, error)
      }
    }
    return errors
  }

  /** Asks the known brokers in turn, then the bootstrap servers, until one answers. */
  async #askAnyBroker(
    topics: readonly string[],
    signal: AbortSignal | undefined,
    failures: Map<string, Error> | undefined,
  ): Promise<MetadataAnswer> {
    const known = [...this.#metadata.brokers.keys()]
    const candidates: BrokerNode[] = [
      ...rotate(known, this.#nextAny++),
      ...this.#options.bootstrapServers.map((_, i) => bootstrapNode(i)),
    ]
    let last: unknown
    let refused: unknown
    for (const candidate of candidates) {
      try {
        const connection = await this.#connections.get(candidate, 'control', signal)
        const version = connection.version(METADATA)
        const answer = await connection.send(METADATA, version, metadataOf(topics), {
          timeoutMs: this.requestTimeoutMs,
          signal,
        })
        this.#unreachable = undefined
        return answer
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error
        if (isFinal(error) && error.code !== 'TLS_FAILED') throw error
        // The certificate of one broker says nothing about the others.
        if (isFinal(error)) {
          refused ??= error
          continue
        }
        if (error.code === 'BROKER_DISCONNECTED' && known.length === 0) await this.#refuseWithoutSasl(candidate, signal)
        failures?.set(String(candidate), error)
        last = error
      }
    }
    if (last !== undefined)
      this.#unreachable = { since: this.#unreachable?.since ?? performance.now(), reason: (last as Error).message }
    // Once some have been reached, those that are down may come back.
    throw (known.length > 0 ? last : undefined) ?? refused ?? last
  }

  /** A broker that wants SASL closes the connection at the first request without a word. */
  async #refuseWithoutSasl(node: BrokerNode, signal: AbortSignal | undefined): Promise<void> {
    if (this.#options.sasl !== undefined) return
    const connection = await this.#connections.get(node, 'probe', signal).catch(() => undefined)
    const mechanisms = await connection?.offeredMechanisms(this.requestTimeoutMs)
    await connection?.close()
    if (mechanisms === undefined) return
    const protocol = this.#options.tls === undefined ? 'SASL_PLAINTEXT' : 'SASL_SSL'
    throw new AuthenticationError(
      `Broker "${connection!.address}" requires SASL: set security.protocol to ${protocol} and sasl.mechanism to ${mechanisms.join(' or ')}`,
    )
  }

  async #connectionTo(target: Target, lane: string, signal: AbortSignal | undefined): Promise<BrokerConnection> {
    if (typeof target === 'number') return this.#connections.get(target, lane, signal)
    const { brokers } = this.#metadata
    if (brokers.size === 0) await this.refresh([], signal)
    const { controller } = this.#metadata
    if (target === 'controller' && brokers.has(controller)) return this.#connections.get(controller, lane, signal)
    let last: unknown
    for (const id of rotate([...brokers.keys()], this.#nextAny++)) {
      try {
        return await this.#connections.get(id, lane, signal)
      } catch (error) {
        last = error
      }
    }
    throw last
  }
}

function bootstrapNode(index: number): string {
  return `bootstrap-${index}`
}

function rotate<T>(list: readonly T[], by: number): T[] {
  const start = list.length === 0 ? 0 : by % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}
