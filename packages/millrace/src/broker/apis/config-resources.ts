/**
 * What has settings (topics, brokers, groups): how they are described, checked and changed. DescribeConfigs, AlterConfigs and
 * IncrementalAlterConfigs treat all of them alike.
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { DescribeConfigsResourceResult } from '../../protocol/messages/describe-configs.ts'
import { ALL_NODES, type BrokerConfig, brokerConfigProblem, brokerConfigs } from '../cluster/broker-configs.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { CONFIG_TYPE_IDS, type ConfigDefinition, type Configs } from '../cluster/config-definitions.ts'
import { GROUP_CONFIGS, groupConfigProblem } from '../cluster/group-configs.ts'
import { configProblem, TOPIC_CONFIGS } from '../cluster/topic-configs.ts'
import type { GroupCoordinator } from '../groups/coordinator.ts'
import type { Refusal } from '../log/check-batch.ts'
import type { BrokerState } from '../state.ts'

/** Kinds of resources. */
export const TOPIC = 2
export const BROKER = 4
export const GROUP = 32

/** Where a value comes from. */
export const SOURCE = {
  topic: 1,
  broker: 2,
  allBrokers: 3,
  started: 4,
  default: 5,
  group: 8,
} as const

/** The settings of one thing. */
export interface ConfigResource {
  /** What was set. */
  readonly configs: Configs
  /** All settings, with their synonyms. */
  describe(): DescribeConfigsResourceResult[]
  replace(configs: Configs): void
}

/** @returns why there are no such settings, instead of them */
export function configResource({ cluster, groups }: BrokerState, type: number, name: string): ConfigResource | Refusal {
  if (type === TOPIC) return topicResource(cluster, name)
  if (type === BROKER) return brokerResource(cluster, name)
  if (type === GROUP) return groupResource(groups, name)
  return { errorCode: ERROR.INVALID_REQUEST, message: `Resources of type ${type} have no settings` }
}

function topicResource(cluster: Cluster, name: string): ConfigResource | Refusal {
  const topic = cluster.topic(name)
  if (topic === undefined)
    return { errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION, message: `The topic '${name}' does not exist.` }
  return {
    configs: topic.configs,
    describe: () => described(TOPIC_CONFIGS, topic.configs, SOURCE.topic, cluster.topicDefaults, SOURCE.broker),
    replace: (configs) => cluster.configure(topic, configs),
  }
}

function groupResource(groups: GroupCoordinator, name: string): ConfigResource | Refusal {
  if (name === '') return { errorCode: ERROR.INVALID_REQUEST, message: 'Default group resources are not allowed.' }
  return {
    configs: groups.configsOf(name),
    describe: () =>
      described(GROUP_CONFIGS, groups.configsOf(name), SOURCE.group, groups.startedWith(), SOURCE.started),
    replace: (configs) => groups.configure(name, configs),
  }
}

function brokerResource(cluster: Cluster, name: string): ConfigResource | Refusal {
  if (name !== ALL_NODES && cluster.node(Number(name)) === undefined) {
    const message = `Unexpected broker id, expected one of ${cluster.nodes.map(({ id }) => id).join(', ')}, but received ${name}`
    return { errorCode: ERROR.INVALID_REQUEST, message }
  }
  return {
    configs: cluster.brokerConfigs(name),
    describe: () => (name === ALL_NODES ? sharedConfigs(cluster) : brokerConfigs(cluster, Number(name)).map(entryOf)),
    replace: (configs) => cluster.configureBroker(name, configs),
  }
}

/** Only what was set for all nodes. */
function sharedConfigs(cluster: Cluster): DescribeConfigsResourceResult[] {
  return [...cluster.brokerConfigs(ALL_NODES)].map(([name, value]) =>
    entry(name, 'string', false, [{ name, value, source: SOURCE.allBrokers }]),
  )
}

function entryOf(config: BrokerConfig): DescribeConfigsResourceResult {
  const { name, type, isFixed } = config
  const synonyms = [
    synonymOf(name, config.dynamic, SOURCE.broker),
    synonymOf(name, config.dynamicDefault, SOURCE.allBrokers),
    synonymOf(name, config.fixed, SOURCE.started),
    synonymOf(name, config.default, SOURCE.default),
  ].flat()
  return entry(name, type, isFixed, synonyms)
}

interface Synonym {
  readonly name: string
  readonly value: string
  readonly source: number
}

const synonymOf = (name: string, value: string | undefined, source: number): Synonym[] =>
  value === undefined ? [] : [{ name, value, source }]

/** Settings of a topic or a group: what was set, then what the brokers have instead, then Kafka's default. */
function described(
  definitions: { readonly [name: string]: ConfigDefinition },
  configs: Configs,
  source: number,
  ofBrokers: Configs,
  sourceOfBrokers: number,
): DescribeConfigsResourceResult[] {
  return Object.entries(definitions).map(([name, definition]) => {
    const { type, synonym, synonymValue } = definition
    const fallback = { name, value: definition.default, source: SOURCE.default }
    const synonyms = [
      synonymOf(name, configs.get(name), source),
      synonymOf(synonym ?? name, ofBrokers.get(name), sourceOfBrokers),
      synonymOf(synonym ?? name, synonym === undefined ? undefined : (synonymValue ?? fallback.value), SOURCE.default),
    ].flat()
    const [first] = synonyms
    // The coarser form of a default has another value than the setting itself.
    const inForce = first === undefined || first.source === SOURCE.default ? fallback : first
    return { ...entry(name, type, false, synonyms), value: inForce.value, configSource: inForce.source }
  })
}

/** @param synonyms the first one is in force */
function entry(
  name: string,
  type: ConfigDefinition['type'],
  readOnly: boolean,
  synonyms: readonly Synonym[],
): DescribeConfigsResourceResult {
  const [first] = synonyms
  return {
    name,
    value: first?.value ?? null,
    readOnly,
    configSource: first?.source ?? SOURCE.default,
    isSensitive: false,
    synonyms,
    configType: CONFIG_TYPE_IDS[type],
  }
}

const PROBLEMS: ReadonlyMap<number, (name: string, value: string) => string | undefined> = new Map([
  [TOPIC, configProblem],
  [BROKER, brokerConfigProblem],
  [GROUP, groupConfigProblem],
])

/** Why the settings of such a resource may not be what they are to be; `undefined` when they may. */
export function configsProblem(type: number, configs: Configs): Refusal | undefined {
  for (const [name, value] of configs) {
    const message = PROBLEMS.get(type)?.(name, value)
    if (message !== undefined)
      return { errorCode: type === BROKER ? ERROR.INVALID_REQUEST : ERROR.INVALID_CONFIG, message }
  }
  return undefined
}

/** How a setting of such a resource is declared; `undefined` for those that are not known. */
export function definitionOf(type: number, name: string): ConfigDefinition | undefined {
  const definitions = type === TOPIC ? TOPIC_CONFIGS : type === GROUP ? GROUP_CONFIGS : {}
  return Object.hasOwn(definitions, name) ? definitions[name] : undefined
}
