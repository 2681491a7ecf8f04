/** The broker that `startBroker` returns: what tests see of it and do to it. */
import type { ApiName } from '../protocol/api-index.ts'
import { ConfigError } from '../errors/index.ts'
import { Cluster, type NodeAddress } from './cluster/cluster.ts'
import { FetchSessions } from './cluster/fetch-sessions.ts'
import { configProblem } from './cluster/topic-configs.ts'
import { nameProblem, type Partition, type Topic } from './cluster/topic.ts'
import { FaultBuilder, Faults } from './connection/faults.ts'
import { NodeServer } from './connection/node-server.ts'
import { type LoggedRequest, RequestLog } from './connection/request-log.ts'
import { GroupCoordinator, type GroupSettings } from './groups/coordinator.ts'
import { type GroupView, viewGroup } from './group-view.ts'
import { Cleaner } from './log/cleaner.ts'
import type { BrokerOptions, TopicOptions } from './options.ts'
import type { BrokerState, Feature } from './state.ts'
import { IN_MEMORY } from './storage/store.ts'
import type { DataFolder } from './storage/data-folder.ts'
import { Security } from './security/security.ts'
import { Timers } from './timers.ts'
import { TransactionCoordinator } from './transactions/coordinator.ts'
import { type TransactionView, viewTransaction } from './transaction-view.ts'
import { type TopicView, viewTopic } from './topic-view.ts'

const DEFAULT_RETENTION_BYTES = 256 * 1024 * 1024

/** The consumer protocol (KIP-848), and transactions of KIP-890 (TV2); clients that do not know them get what was before. */
const FEATURES: readonly Feature[] = [
  { name: 'group.version', min: 0, max: 1, level: 1 },
  { name: 'transaction.version', min: 0, max: 2, level: 2 },
]

/** Kafka's defaults. */
const DEFAULT_GROUP_SETTINGS: GroupSettings = {
  minSessionTimeoutMs: 6000,
  maxSessionTimeoutMs: 1_800_000,
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 5000,
}

/** A running broker. Close it, or declare it with `await using`. */
export class EmbeddedBroker implements AsyncDisposable {
  readonly #cluster: Cluster
  readonly #timers: Timers
  readonly #data: DataFolder | undefined
  readonly #security: Security
  readonly #cleaner: Cleaner
  readonly #groups: GroupCoordinator
  readonly #transactions: TransactionCoordinator
  readonly #servers: ReadonlyMap<number, NodeServer>
  readonly #faults = new Faults()
  readonly #requests = new RequestLog()

  /**
   * @internal Use `startBroker`.
   *
   * @param data the opened `directory`
   */
  constructor(options: BrokerOptions, data: DataFolder | undefined) {
    const { nodes = 1, log = () => {} } = options
    this.#data = data
    this.#security = new Security(options, data ?? IN_MEMORY)
    this.#timers = new Timers((error) => log(error instanceof Error ? error.message : String(error)))
    const addresses = Array.from({ length: nodes }, (_, id) => addressOf(id, options))
    this.#cluster = new Cluster({
      nodes: addresses,
      autoCreateTopics: options.autoCreateTopics ?? true,
      defaultPartitions: options.defaultPartitions ?? 1,
      retentionBytes: options.retentionBytes ?? DEFAULT_RETENTION_BYTES,
      now: options.now ?? Date.now,
      store: data ?? IN_MEMORY,
      protocol: this.#security.protocol,
    })
    this.#cleaner = new Cleaner(this.#timers, () => this.#cluster.now())
    this.#groups = new GroupCoordinator(this.#cluster, this.#timers, { ...DEFAULT_GROUP_SETTINGS, ...options.groups })
    this.#transactions = new TransactionCoordinator(this.#cluster, this.#groups, this.#timers)
    const sessions = new Map(addresses.map(({ id }) => [id, new FetchSessions()]))
    const broker: BrokerState = {
      cluster: this.#cluster,
      groups: this.#groups,
      transactions: this.#transactions,
      security: this.#security,
      cleaner: this.#cleaner,
      features: FEATURES,
      fetchSessions: (node) => sessions.get(node)!,
    }
    const dispatcher = { broker, faults: this.#faults, requests: this.#requests, log }
    this.#servers = new Map(addresses.map((address) => [address.id, new NodeServer(address, dispatcher, options.tls)]))
  }

  /** @internal */
  async start(topics: Readonly<{ [name: string]: TopicOptions | number }>): Promise<void> {
    if (this.#data !== undefined) this.#restore(this.#data)
    await Promise.all([...this.#servers.values()].map(async (server) => server.start()))
    this.#cluster.electLeaders()
    for (const [name, topic] of Object.entries(topics))
      if (this.#data === undefined || this.#cluster.topic(name) === undefined) this.createTopic(name, topic)
  }

  #restore(data: DataFolder): void {
    data.record({ is: 'opened', cluster: data.state.cluster ?? this.#cluster.id })
    this.#cluster.restore(data.state, (topic, partition, start) => data.openLog(topic, partition, start))
    this.#groups.restore(data.state)
    this.#transactions.restore(data.state)
    this.#security.restore(data.state)
  }

  /** Addresses of the nodes that run, for clients' `bootstrap.servers`. */
  get bootstrapServers(): string {
    return this.#cluster.running.map(({ host, port }) => `${host}:${port}`).join(',')
  }

  /**
   * Creates a topic.
   *
   * @throws {ConfigError} it exists, or its name or a setting is not valid
   */
  createTopic(name: string, options: TopicOptions | number = {}): void {
    const { partitions = this.#cluster.options.defaultPartitions, config = {} } =
      typeof options === 'number' ? { partitions: options } : options
    const configs = Object.entries(config).map(([key, value]) => [key, String(value)] as const)
    const problem =
      nameProblem(name) ??
      (this.#cluster.topic(name) === undefined ? undefined : `Topic '${name}' already exists`) ??
      (Number.isInteger(partitions) && partitions > 0
        ? undefined
        : `It must have at least one partition: current value is ${partitions}`) ??
      configs.map(([key, value]) => configProblem(key, value)).find((text) => text !== undefined)
    if (problem !== undefined) throw new ConfigError(`Cannot create topic "${name}": ${problem}`)
    this.#cluster.createTopic(name, partitions, new Map(configs))
  }

  /** Names of all topics, but for those in which Kafka keeps the state of groups and transactions. */
  topics(): string[] {
    return this.#cluster.topics().flatMap(({ name, isInternal }) => (isInternal ? [] : [name]))
  }

  /** @throws {ConfigError} there is no such topic */
  topic(name: string): TopicView {
    return viewTopic(this.#topic(name))
  }

  /** The last requests of clients, oldest first; at most 10,000. */
  requests(): LoggedRequest[] {
    return this.#requests.all()
  }

  /** Begins a fault for the requests of an API; see `FaultBuilder`. */
  on(api: ApiName): FaultBuilder {
    return new FaultBuilder(this.#faults, api)
  }

  /** Ends all faults. Requests that are held stay so until they are released. */
  clearFaults(): void {
    this.#faults.clear()
  }

  /** Gives a partition another leader. */
  moveLeader(topic: string, partition: number, node: number): void {
    if (this.#cluster.node(node)?.running !== true)
      throw new ConfigError(`Cannot move a leader to node ${node}, which does not run`)
    const moved = this.#partition(topic, partition)
    if (!moved.replicas.includes(node)) moved.replicas = [...moved.replicas, node]
    this.#cluster.moveLeader(moved, node)
  }

  /** Stops a node as if its process was killed: its connections are closed, and other nodes lead its partitions. */
  async stopNode(node: number): Promise<void> {
    const coordinated = this.#groups.all(node)
    await this.#server(node).stop()
    this.#cluster.electLeaders()
    this.#groups.unload(coordinated)
  }

  /** Starts a node again, at the same port. */
  async startNode(node: number): Promise<void> {
    await this.#server(node).start()
    this.#cluster.electLeaders()
  }

  /** Gives a group or a transactional id another coordinator. */
  moveCoordinator(of: { readonly group: string } | { readonly transactionalId: string }, node: number): void {
    if (this.#cluster.node(node)?.running !== true)
      throw new ConfigError(`Cannot move a coordinator to node ${node}, which does not run`)
    if ('transactionalId' in of) return this.#groups.places.move('transaction', of.transactionalId, node)
    this.#groups.places.move('group', of.group, node)
    const group = this.#groups.find(of.group)
    if (group !== undefined) this.#groups.unload([group])
  }

  /** All groups, with their members and committed offsets. */
  groups(): GroupView[] {
    return this.#groups.all().map(viewGroup)
  }

  /** All transactional ids, with the partitions and groups of their open transactions. */
  transactions(): TransactionView[] {
    return this.#transactions.all().map(viewTransaction)
  }

  /** Deletes the records of a partition before an offset, as retention does. */
  expire(topic: string, partition: number, { beforeOffset }: { beforeOffset: number | bigint }): void {
    this.#partition(topic, partition).log.deleteBefore(Number(beforeOffset))
  }

  /** Compacts a topic now: of the records with the same key, only the last one stays. */
  async compact(topic: string): Promise<void> {
    for (const { log } of this.#topic(topic).partitions) await this.#cleaner.compact(log)
  }

  /** Stops all nodes; what they held is gone unless there is a `directory`. May be called twice. */
  async close(): Promise<void> {
    this.#groups.stop()
    this.#transactions.stop()
    this.#timers.clear()
    await Promise.all([...this.#servers.values()].map(async (server) => server.stop()))
    this.#data?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #server(node: number): NodeServer {
    const server = this.#servers.get(node)
    if (server === undefined) throw new ConfigError(`There is no node ${node}`)
    return server
  }

  #topic(name: string): Topic {
    const topic = this.#cluster.topic(name)
    if (topic === undefined) throw new ConfigError(`There is no topic "${name}" on this broker`)
    return topic
  }

  #partition(topic: string, index: number): Partition {
    const partition = this.#topic(topic).partitions[index]
    if (partition === undefined) throw new ConfigError(`Topic "${topic}" has no partition ${index}`)
    return partition
  }
}

function addressOf(id: number, { host = '127.0.0.1', port = 0, advertised = {} }: BrokerOptions): NodeAddress {
  const portOf = (first: number): number => (first === 0 ? 0 : first + id)
  return {
    id,
    host: advertised.host ?? host,
    port: portOf(advertised.port ?? 0),
    listens: { host, port: portOf(port) },
    running: false,
  }
}
