/**
 * The settings of the nodes that clients ask for. Those that are defaults of topics can be changed while the broker runs, for
 * one node or for all; as the nodes share one log, they count for all topics either way. Others that Kafka can change are accepted and
 * described, and have no effect.
 *
 * @see https://kafka.apache.org/documentation/#brokerconfigs
 */
import { type ConfigDefinition, type Configs, valueProblem } from './config-definitions.ts'
import { TOPIC_CONFIGS } from './topic-configs.ts'

interface Place {
  readonly host: string
  readonly port: number
}

/** What the settings are read from. */
interface Nodes {
  readonly nodes: readonly unknown[]
  readonly options: {
    readonly autoCreateTopics: boolean
    readonly defaultPartitions: number
    readonly protocol: string
  }
  node(id: number): (Place & { readonly listens: Place }) | undefined
  /** What was set for a node, or for all of them, while they run. */
  brokerConfigs(name: string): Configs
}

/** Settings that a broker reads when it starts; those without a default are always set. */
const FIXED: { readonly [name: string]: Pick<ConfigDefinition, 'type'> & { readonly default?: string } } = {
  'advertised.listeners': { type: 'list' },
  'auto.create.topics.enable': { type: 'boolean', default: 'true' },
  'broker.id': { type: 'int', default: '-1' },
  'default.replication.factor': { type: 'int', default: '1' },
  'delete.topic.enable': { type: 'boolean', default: 'true' },
  'group.initial.rebalance.delay.ms': { type: 'int', default: '3000' },
  listeners: { type: 'list', default: 'PLAINTEXT://:9092' },
  'node.id': { type: 'int' },
  'num.partitions': { type: 'int', default: '1' },
  'offsets.topic.replication.factor': { type: 'int', default: '3' },
  'transaction.max.timeout.ms': { type: 'int', default: '900000' },
  'transaction.state.log.replication.factor': { type: 'int', default: '3' },
}

/** The default of `retention.ms`, of which `log.retention.hours` is the coarser form. */
const RETENTION_MS = 'log.retention.ms'

/** The topic settings of which each broker setting is the default. */
const TOPIC_SETTINGS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(TOPIC_CONFIGS).flatMap(([name, { synonym, synonymValue }]) =>
    synonym === undefined || synonymValue !== undefined ? [] : [[synonym, name] as const],
  ),
  [RETENTION_MS, 'retention.ms'],
])

/** A setting as it is described: its values by where they come from, the one in force first. */
export interface BrokerConfig {
  readonly name: string
  readonly type: ConfigDefinition['type']
  readonly isFixed: boolean
  readonly dynamic: string | undefined
  readonly dynamicDefault: string | undefined
  readonly fixed: string | undefined
  readonly default: string | undefined
}

/** All settings of a node, in the order of their names. */
export function brokerConfigs(cluster: Nodes, node: number): BrokerConfig[] {
  const own = cluster.brokerConfigs(String(node))
  const shared = cluster.brokerConfigs(ALL_NODES)
  const started = startedWith(cluster, node)
  const names = new Set([...Object.keys(FIXED), ...TOPIC_SETTINGS.keys(), ...own.keys(), ...shared.keys()])
  return [...names].toSorted().map((name) => ({
    name,
    type: FIXED[name]?.type ?? definitionOf(name)?.type ?? 'string',
    isFixed: Object.hasOwn(FIXED, name),
    dynamic: own.get(name),
    dynamicDefault: shared.get(name),
    fixed: started.get(name),
    default: Object.hasOwn(FIXED, name) ? FIXED[name]!.default : definitionOf(name)?.default,
  }))
}

/** The name of the resource whose settings count for all nodes. */
export const ALL_NODES = ''

/** What the options of the broker say, and what it does otherwise than Kafka. */
function startedWith(cluster: Nodes, node: number): Configs {
  const address = cluster.node(node)
  const { autoCreateTopics, defaultPartitions, protocol } = cluster.options
  const listener = (at: Place | undefined): string => `${protocol}://${at?.host}:${at?.port}`
  return new Map([
    ['advertised.listeners', listener(address)],
    ['auto.create.topics.enable', String(autoCreateTopics)],
    ['broker.id', String(node)],
    ['default.replication.factor', String(cluster.nodes.length)],
    ['group.initial.rebalance.delay.ms', '0'],
    ['listeners', listener(address?.listens)],
    ['node.id', String(node)],
    ['num.partitions', String(defaultPartitions)],
    ['offsets.topic.replication.factor', '1'],
    ['transaction.state.log.replication.factor', '1'],
  ])
}

function definitionOf(name: string): ConfigDefinition | undefined {
  const topicSetting = TOPIC_SETTINGS.get(name)
  return topicSetting === undefined ? undefined : TOPIC_CONFIGS[topicSetting]
}

/** Why a setting of nodes that run may not be changed; `undefined` when it may. */
export function brokerConfigProblem(name: string, value: string): string | undefined {
  if (Object.hasOwn(FIXED, name)) return `Cannot update these configs dynamically: Set(${name})`
  const definition = definitionOf(name)
  return definition === undefined ? undefined : valueProblem(name, value, definition)
}

/** The defaults of topics that settings of brokers make. */
export function topicDefaults(brokers: readonly Configs[]): Configs {
  const defaults = new Map<string, string>()
  for (const configs of brokers)
    for (const [name, value] of configs) {
      const topicSetting = TOPIC_SETTINGS.get(name)
      if (topicSetting !== undefined) defaults.set(topicSetting, value)
    }
  return defaults
}
