/**
 * The settings of a topic, with Kafka's defaults. All are accepted and described; `LogSettings` has those that are followed.
 *
 * @see https://kafka.apache.org/documentation/#topicconfigs
 */
import type { LogSettings } from '../log/log-settings.ts'
import { type ConfigDefinition, type Configs, listOf, valueProblem } from './config-definitions.ts'

const LONG_MAX = '9223372036854775807'

export const TOPIC_CONFIGS: { readonly [name: string]: ConfigDefinition } = {
  'cleanup.policy': { type: 'list', default: 'delete', values: ['compact', 'delete'], synonym: 'log.cleanup.policy' },
  'compression.gzip.level': { type: 'int', default: '-1', synonym: 'compression.gzip.level' },
  'compression.lz4.level': { type: 'int', default: '9', min: 1, max: 17, synonym: 'compression.lz4.level' },
  'compression.type': {
    type: 'string',
    default: 'producer',
    values: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    synonym: 'compression.type',
  },
  'compression.zstd.level': { type: 'int', default: '3', min: -131_072, max: 22, synonym: 'compression.zstd.level' },
  'delete.retention.ms': { type: 'long', default: '86400000', min: 0, synonym: 'log.cleaner.delete.retention.ms' },
  'file.delete.delay.ms': { type: 'long', default: '60000', min: 0, synonym: 'log.segment.delete.delay.ms' },
  'flush.messages': { type: 'long', default: LONG_MAX, min: 1, synonym: 'log.flush.interval.messages' },
  'flush.ms': { type: 'long', default: LONG_MAX, min: 0 },
  'follower.replication.throttled.replicas': { type: 'list', default: '' },
  'index.interval.bytes': { type: 'int', default: '4096', min: 0, synonym: 'log.index.interval.bytes' },
  'leader.replication.throttled.replicas': { type: 'list', default: '' },
  'local.retention.bytes': { type: 'long', default: '-2', min: -2, synonym: 'log.local.retention.bytes' },
  'local.retention.ms': { type: 'long', default: '-2', min: -2, synonym: 'log.local.retention.ms' },
  'max.compaction.lag.ms': { type: 'long', default: LONG_MAX, min: 1, synonym: 'log.cleaner.max.compaction.lag.ms' },
  'max.message.bytes': { type: 'int', default: '1048588', min: 0, synonym: 'message.max.bytes' },
  'message.timestamp.after.max.ms': {
    type: 'long',
    default: '3600000',
    min: 0,
    synonym: 'log.message.timestamp.after.max.ms',
  },
  'message.timestamp.before.max.ms': {
    type: 'long',
    default: LONG_MAX,
    min: 0,
    synonym: 'log.message.timestamp.before.max.ms',
  },
  'message.timestamp.type': {
    type: 'string',
    default: 'CreateTime',
    values: ['CreateTime', 'LogAppendTime'],
    synonym: 'log.message.timestamp.type',
  },
  'min.cleanable.dirty.ratio': {
    type: 'double',
    default: '0.5',
    min: 0,
    max: 1,
    synonym: 'log.cleaner.min.cleanable.ratio',
  },
  'min.compaction.lag.ms': { type: 'long', default: '0', min: 0, synonym: 'log.cleaner.min.compaction.lag.ms' },
  'min.insync.replicas': { type: 'int', default: '1', min: 1, synonym: 'min.insync.replicas' },
  preallocate: { type: 'boolean', default: 'false', synonym: 'log.preallocate' },
  'remote.log.copy.disable': { type: 'boolean', default: 'false' },
  'remote.log.delete.on.disable': { type: 'boolean', default: 'false' },
  'remote.storage.enable': { type: 'boolean', default: 'false' },
  'retention.bytes': { type: 'long', default: '-1', synonym: 'log.retention.bytes' },
  'retention.ms': {
    type: 'long',
    default: '604800000',
    min: -1,
    synonym: 'log.retention.hours',
    synonymValue: '168',
  },
  'segment.bytes': { type: 'int', default: '1073741824', min: 1_048_576, synonym: 'log.segment.bytes' },
  'segment.index.bytes': { type: 'int', default: '10485760', min: 4, synonym: 'log.index.size.max.bytes' },
  'segment.jitter.ms': { type: 'long', default: '0', min: 0 },
  'segment.ms': { type: 'long', default: '604800000', min: 1 },
  'unclean.leader.election.enable': { type: 'boolean', default: 'false', synonym: 'unclean.leader.election.enable' },
}

/** What is wrong with a setting; `undefined` when it may be set. */
export function configProblem(name: string, value: string): string | undefined {
  const definition = Object.hasOwn(TOPIC_CONFIGS, name) ? TOPIC_CONFIGS[name] : undefined
  return definition === undefined ? `Unknown topic config name: ${name}` : valueProblem(name, value, definition)
}

/** @param defaults of the brokers, where they differ from Kafka's */
export function logSettings(configs: Configs, defaults: Configs): LogSettings {
  const text = (name: string): string => configs.get(name) ?? defaults.get(name) ?? TOPIC_CONFIGS[name]!.default
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
    minInSync: number('min.insync.replicas'),
    deletes: policies.includes('delete'),
    retentionBytes: number('retention.bytes'),
    retentionMs: number('retention.ms'),
  }
}
