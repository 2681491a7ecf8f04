/** What the values of properties must be together. */
import { type OptionProblem, type OptionRule, type Options, problem, warning } from '../../options/declaration.ts'
import { securityRule } from '../security/rules.ts'
import { regionOfHost } from '../security/aws/region.ts'
import type { ADMIN_FIELDS } from './admin-fields.ts'
import type { CLUSTER_FIELDS } from './cluster-fields.ts'
import type { CONSUMER_FIELDS } from './consumer-fields.ts'
import type { PRODUCER_FIELDS } from './producer-fields.ts'
import { MAX_IN_FLIGHT_IDEMPOTENT } from './producer-limits.ts'
import { acksOf, isIdempotent } from './settings.ts'
import { weaknessOf } from './weakness.ts'

/** Without a region nothing can be signed, and only a run would find that out. */
const regionRule: OptionRule<
  Pick<typeof CLUSTER_FIELDS, 'saslMechanism' | 'awsRegion' | 'awsProfile' | 'bootstrapServers'>
> = ({ saslMechanism, awsRegion, awsProfile, bootstrapServers }) => {
  const isKnown = (awsRegion ?? awsProfile) !== undefined || bootstrapServers.some(namesRegion)
  return saslMechanism !== 'AWS_MSK_IAM' || isKnown
    ? undefined
    : warning(
        'awsRegion',
        'The addresses of the brokers do not name their region, which AWS_MSK_IAM needs',
        'set awsRegion, unless AWS_REGION or the default profile sets it',
      )
}

function namesRegion(server: string): boolean {
  return regionOfHost(server.trim().replace(/:\d+$/, '')) !== undefined
}

/** Rules of administrators. */
export const ADMIN_RULES: readonly OptionRule<typeof ADMIN_FIELDS>[] = [securityRule, regionRule]

/** Rules of consumers. */
export const CONSUMER_RULES: readonly OptionRule<typeof CONSUMER_FIELDS>[] = [
  securityRule,
  regionRule,
  ({ heartbeatIntervalMs, sessionTimeoutMs, groupProtocol }) =>
    groupProtocol === 'classic' && heartbeatIntervalMs >= sessionTimeoutMs
      ? problem(
          'heartbeatIntervalMs',
          `heartbeat.interval.ms (${heartbeatIntervalMs}) must be less than session.timeout.ms (${sessionTimeoutMs}), or the member is removed from its group`,
          'a third of session.timeout.ms is usual',
        )
      : undefined,
  ({ fetchMaxWaitMs, requestTimeoutMs }) =>
    fetchMaxWaitMs >= requestTimeoutMs
      ? problem(
          'fetchMaxWaitMs',
          `fetch.max.wait.ms (${fetchMaxWaitMs}) must be less than request.timeout.ms (${requestTimeoutMs}), or a broker that waits for records looks lost`,
        )
      : undefined,
  ({ groupProtocol }, isSet) =>
    groupProtocol === 'consumer'
      ? (['sessionTimeoutMs', 'heartbeatIntervalMs', 'assignors'] as const)
          .filter(isSet)
          .map((name) =>
            problem(
              name,
              'With group.protocol consumer, the broker decides this',
              name === 'assignors' ? 'use group.remote.assignor' : 'delete it',
            ),
          )
      : isSet('serverAssignor')
        ? problem(
            'serverAssignor',
            'group.remote.assignor requires group.protocol consumer',
            'use partition.assignment.strategy',
          )
        : undefined,
  ({ instanceId, groupId }) =>
    instanceId !== undefined && groupId === undefined
      ? problem('instanceId', 'group.instance.id requires group.id')
      : undefined,
]

/** The fields of producers that have the same type wherever they are options. */
type CommonFields = Omit<typeof PRODUCER_FIELDS, 'requestTimeoutMs' | 'maxBlockMs' | 'batchBytes'>

/** Rules of producers in files and programs; the reasons are those of the Java client. */
export const COMMON_PRODUCER_RULES: readonly OptionRule<CommonFields>[] = [
  securityRule,
  regionRule,
  ({ acks, idempotence }) =>
    idempotence === true && acks !== 'all'
      ? problem(
          'idempotence',
          `enable.idempotence requires acks "all", as a record that only the leader has can be lost: acks is "${acks}"`,
          'set acks to all, or leave enable.idempotence out',
        )
      : undefined,
  (options) => {
    const { loss, repetition } = weaknessOf(acksOf(options), isIdempotent(options)) ?? {}
    if (repetition === undefined) return undefined
    return loss === undefined
      ? warning('idempotence', repetition, 'leave it out')
      : warning('acks', `${loss}; ${repetition}`, 'set it to all')
  },
  ({ transactionalId, acks, idempotence }) =>
    transactionalId !== undefined && (acks !== 'all' || idempotence === false)
      ? problem(
          'transactionalId',
          'transactional.id requires acks "all" and enable.idempotence, as a transaction must not lose any of its records',
          acks === 'all' ? 'leave enable.idempotence out' : 'set acks to all',
        )
      : undefined,
  ({ gzipLevel }) =>
    gzipLevel === 0
      ? problem(
          'gzipLevel',
          'compression.gzip.level must be between 1 and 9, or -1 for the default: current value is 0',
        )
      : undefined,
]

/** Rules of the producers of pipeline files. */
export const PRODUCER_RULES: readonly OptionRule<typeof PRODUCER_FIELDS>[] = [
  ...COMMON_PRODUCER_RULES,
  (options) => {
    const text = inFlightTrouble(options)
    if (text === undefined) return undefined
    return options.idempotence === true
      ? problem('maxInFlight', text, 'set it to 5 or less')
      : warning('maxInFlight', `${text}, so 5 is used`, 'set it to 5 or less, or enable.idempotence to false')
  },
  deliveryTimeoutProblem,
]

type ProducerOptions = Options<typeof PRODUCER_FIELDS>

/** Why so many requests cannot be in flight; undefined when they can. */
export function inFlightTrouble({
  maxInFlight,
  acks,
  idempotence,
}: Pick<ProducerOptions, 'maxInFlight' | 'acks' | 'idempotence'>): string | undefined {
  if (maxInFlight <= MAX_IN_FLIGHT_IDEMPOTENT || idempotence === false || acks !== 'all') return undefined
  return `max.in.flight.requests.per.connection is ${maxInFlight}, but a broker remembers only the last ${MAX_IN_FLIGHT_IDEMPOTENT} batches of an idempotent producer`
}

export function deliveryTimeoutProblem({
  deliveryTimeoutMs,
  lingerMs,
  requestTimeoutMs,
}: Pick<ProducerOptions, 'deliveryTimeoutMs' | 'lingerMs' | 'requestTimeoutMs'>): OptionProblem | undefined {
  return deliveryTimeoutMs < lingerMs + requestTimeoutMs
    ? problem(
        'deliveryTimeoutMs',
        `delivery.timeout.ms (${deliveryTimeoutMs}) must be at least linger.ms + request.timeout.ms (${lingerMs + requestTimeoutMs}), or a record fails before its first response can arrive`,
      )
    : undefined
}
