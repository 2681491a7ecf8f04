/**
 * The settings of a group (KIP-848), with Kafka's defaults. All are accepted and described; those of session and heartbeat of the
 * consumer protocol are followed.
 *
 * @see https://kafka.apache.org/documentation/#groupconfigs
 */
import { type ConfigDefinition, valueProblem } from './config-definitions.ts'

export const SESSION_TIMEOUT = 'consumer.session.timeout.ms'
export const HEARTBEAT_INTERVAL = 'consumer.heartbeat.interval.ms'

/** A number whose default is a setting of the broker, named alike. */
function number(name: string, value: number, min: number, max?: number): readonly [string, ConfigDefinition] {
  const synonym = `group.${name}`
  return [name, { type: 'int', default: String(value), min, synonym, ...(max === undefined ? {} : { max }) }]
}

export const GROUP_CONFIGS: { readonly [name: string]: ConfigDefinition } = Object.fromEntries([
  number('consumer.assignment.interval.ms', 1000, 0),
  number(HEARTBEAT_INTERVAL, 5000, 1),
  number(SESSION_TIMEOUT, 45_000, 1),
  number('share.assignment.interval.ms', 1000, 0),
  [
    'share.auto.offset.reset',
    { type: 'string', default: 'latest', synonym: 'share.auto.offset.reset' } satisfies ConfigDefinition,
  ],
  number('share.delivery.count.limit', 5, 2, 10),
  number('share.heartbeat.interval.ms', 5000, 1),
  [
    'share.isolation.level',
    {
      type: 'string',
      default: 'read_uncommitted',
      values: ['read_committed', 'read_uncommitted'],
      synonym: 'share.isolation.level',
    } satisfies ConfigDefinition,
  ],
  number('share.partition.max.record.locks', 2000, 100, 10_000),
  number('share.record.lock.duration.ms', 30_000, 1000, 3_600_000),
  [
    'share.renew.acknowledge.enable',
    { type: 'boolean', default: 'true', synonym: 'share.renew.acknowledge.enable' } satisfies ConfigDefinition,
  ],
  number('share.session.timeout.ms', 45_000, 1),
  number('streams.assignment.interval.ms', 1000, 0),
  number('streams.heartbeat.interval.ms', 5000, 1),
  number('streams.initial.rebalance.delay.ms', 3000, 0),
  number('streams.num.standby.replicas', 0, 0),
  number('streams.session.timeout.ms', 45_000, 1),
])

/** What is wrong with a setting; `undefined` when it may be set. */
export function groupConfigProblem(name: string, value: string): string | undefined {
  const definition = Object.hasOwn(GROUP_CONFIGS, name) ? GROUP_CONFIGS[name] : undefined
  return definition === undefined ? `Unknown group config name: ${name}` : valueProblem(name, value, definition)
}
