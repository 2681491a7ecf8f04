/**
 * The settings of a topic, with Kafka's defaults. All are accepted and described; `LogSettings` has those that are followed.
 *
 * @see https://kafka.apache.org/documentation/#topicconfigs
 */
import type { LogSettings } from '../log/log-settings.ts'

type ConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list'

/** Numbers of the types in DescribeConfigs. */
export const CONFIG_TYPE_IDS: { readonly [type in ConfigType]: number } = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  double: 6,
  list: 7,
}

export interface ConfigDefinition {
  readonly type: ConfigType
  readonly default: string
  readonly values?: readonly string[]
  readonly min?: number
  readonly max?: number
}

const LONG_MAX = '9223372036854775807'

export const TOPIC_CONFIGS: { readonly [name: string]: ConfigDefinition } = {
  'cleanup.policy': { type: 'list', default: 'delete', values: ['compact', 'delete'] },
  'compression.gzip.level': { type: 'int', default: '-1' },
  'compression.lz4.level': { type: 'int', default: '9', min: 1, max: 17 },
  'compression.type': {
    type: 'string',
    default: 'producer',
    values: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
  },
  'compression.zstd.level': { type: 'int', default: '3', min: -131_072, max: 22 },
  'delete.retention.ms': { type: 'long', default: '86400000', min: 0 },
  'file.delete.delay.ms': { type: 'long', default: '60000', min: 0 },
  'flush.messages': { type: 'long', default: LONG_MAX, min: 1 },
  'flush.ms': { type: 'long', default: LONG_MAX, min: 0 },
  'follower.replication.throttled.replicas': { type: 'list', default: '' },
  'index.interval.bytes': { type: 'int', default: '4096', min: 0 },
  'leader.replication.throttled.replicas': { type: 'list', default: '' },
  'local.retention.bytes': { type: 'long', default: '-2', min: -2 },
  'local.retention.ms': { type: 'long', default: '-2', min: -2 },
  'max.compaction.lag.ms': { type: 'long', default: LONG_MAX, min: 1 },
  'max.message.bytes': { type: 'int', default: '1048588', min: 0 },
  'message.timestamp.after.max.ms': { type: 'long', default: '3600000', min: 0 },
  'message.timestamp.before.max.ms': { type: 'long', default: LONG_MAX, min: 0 },
  'message.timestamp.type': { type: 'string', default: 'CreateTime', values: ['CreateTime', 'LogAppendTime'] },
  'min.cleanable.dirty.ratio': { type: 'double', default: '0.5', min: 0, max: 1 },
  'min.compaction.lag.ms': { type: 'long', default: '0', min: 0 },
  'min.insync.replicas': { type: 'int', default: '1', min: 1 },
  preallocate: { type: 'boolean', default: 'false' },
  'remote.log.copy.disable': { type: 'boolean', default: 'false' },
  'remote.log.delete.on.disable': { type: 'boolean', default: 'false' },
  'remote.storage.enable': { type: 'boolean', default: 'false' },
  'retention.bytes': { type: 'long', default: '-1' },
  'retention.ms': { type: 'long', default: '604800000', min: -1 },
  'segment.bytes': { type: 'int', default: '1073741824', min: 1_048_576 },
  'segment.index.bytes': { type: 'int', default: '10485760', min: 4 },
  'segment.jitter.ms': { type: 'long', default: '0', min: 0 },
  'segment.ms': { type: 'long', default: '604800000', min: 1 },
  'unclean.leader.election.enable': { type: 'boolean', default: 'false' },
}

export type Configs = ReadonlyMap<string, string>

/** What is wrong with a setting; `undefined` when it may be set. */
export function configProblem(name: string, value: string): string | undefined {
  const definition = Object.hasOwn(TOPIC_CONFIGS, name) ? TOPIC_CONFIGS[name] : undefined
  if (definition === undefined) return `Unknown topic config name: ${name}`
  const invalid = `Invalid value ${value} for configuration ${name}`
  const { type, values, min = -Infinity, max = Infinity } = definition
  if (type === 'boolean')
    return value === 'true' || value === 'false' ? undefined : `${invalid}: Expected value to be either true or false`
  if (type === 'string' || type === 'list') {
    const parts = type === 'list' ? listOf(value) : [value]
    if (values === undefined || parts.every((part) => values.includes(part))) return undefined
    return `${invalid}: String must be one of: ${values.join(', ')}`
  }
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number) || (type !== 'double' && !Number.isInteger(number)))
    return `${invalid}: Not a number of type ${type.toUpperCase()}`
  if (number < min) return `${invalid}: Value must be at least ${min}`
  return number > max ? `${invalid}: Value must be no more than ${max}` : undefined
}

export function listOf(value: string): string[] {
  return value === '' ? [] : value.split(',').map((part) => part.trim())
}

export function logSettings(configs: Configs): LogSettings {
  const text = (name: string): string => configs.get(name) ?? TOPIC_CONFIGS[name]!.default
  const number = (name: string): number => Number(text(name))
  const policies = listOf(text('cleanup.policy'))
  return {
    maxMessageBytes: number('max.message.bytes'),
    logAppendTime: text('message.timestamp.type') === 'LogAppendTime',
    timestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    compacted: policies.includes('compact'),
    cleaning: {
      minDirtyRatio: number('min.cleanable.dirty.ratio'),
      minLagMs: number('min.compaction.lag.ms'),
      maxLagMs: number('max.compaction.lag.ms'),
      deleteRetentionMs: number('delete.retention.ms'),
      segmentBytes: number('segment.bytes'),
      segmentMs: number('segment.ms'),
    },
    deletes: policies.includes('delete'),
    retentionBytes: number('retention.bytes'),
    retentionMs: number('retention.ms'),
  }
}
