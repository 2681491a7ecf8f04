import type { GroupSettings } from './groups/coordinator.ts'
import type { SecurityOptions } from './security/options.ts'

/** How a broker is started. Everything has a default. */
export interface BrokerOptions extends SecurityOptions {
  /** Topics to create: the number of partitions, or more. */
  readonly topics?: Readonly<{ [name: string]: TopicOptions | number }>
  /**
   * A folder in which topics, records, offsets and transactions survive the broker; nothing is written anywhere when omitted. It is created
   * if need be, and used by one broker at a time. Topics that it has are left as they are.
   */
  readonly directory?: string
  /** Nodes of the cluster, numbered from 0, each with a port of its own; 1 when omitted. */
  readonly nodes?: number
  /** Where to listen; `127.0.0.1` when omitted. Clients are sent to the same address, unless `advertised` is another one. */
  readonly host?: string
  /** Port of the first node, the others follow; free ones when omitted. */
  readonly port?: number
  /**
   * Where clients are sent (`advertised.listeners`) when that is not where the broker listens: to a proxy, or to the host of a
   * container. `port` is that of the first node, the others follow.
   */
  readonly advertised?: { readonly host?: string; readonly port?: number }
  /** Whether a topic is created when a client asks for it; true when omitted, as on Apache Kafka. */
  readonly autoCreateTopics?: boolean
  /** Partitions of topics that are created without a number; 1 when omitted. */
  readonly defaultPartitions?: number
  /** Most bytes of all topics together; 256 MiB when omitted. The topic that holds most loses its oldest records first. */
  readonly retentionBytes?: number
  /** Timeouts of consumer groups that differ from Kafka's defaults, for tests that are to be quick. */
  readonly groups?: Partial<GroupSettings>
  /** The time in milliseconds, for timestamps and retention; `Date.now` when omitted. */
  readonly now?: () => number
  /** Called with a line for each thing that should not happen, such as a malformed request. Nothing is logged when omitted. */
  readonly log?: (line: string) => void
}

/** Options of one topic of the embedded broker. */
export interface TopicOptions {
  /** `defaultPartitions` of the broker when omitted. */
  readonly partitions?: number
  /** Settings with Kafka's names, for instance `{ 'cleanup.policy': 'compact' }`. */
  readonly config?: Readonly<{ [name: string]: string | number | boolean }>
}
