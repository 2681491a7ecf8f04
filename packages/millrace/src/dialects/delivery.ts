/**
 * `delivery` of a pipeline file: what it changes of the defaults, and where it cannot hold. The same for all shapes of files.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Delivery } from '../contracts/context.ts'
import { COMMIT_INTERVAL_MS, type PipelinePlan, type PlannedComponent } from '../engine/plan.ts'
import { CLUSTER_FIELDS } from '../kafka/properties/cluster-fields.ts'
import { PRODUCER_FIELDS } from '../kafka/properties/producer-fields.ts'
import { TRANSACTION_TIMEOUT_MS, UNIQUE_TRANSACTION_TIMEOUT_MS } from '../kafka/properties/producer-limits.ts'
import type { OptionProblem } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { sharesCluster } from './loops.ts'

/** Fields of the top level of a file. */
export const deliveryFields = {
  delivery: field
    .oneOf(['at_least_once', 'exactly_once', 'at_most_once'], {
      atLeastOnce: 'at_least_once',
      'at-least-once': 'at_least_once',
      exactlyOnce: 'exactly_once',
      'exactly-once': 'exactly_once',
      atMostOnce: 'at_most_once',
      'at-most-once': 'at_most_once',
    })
    .default('at_least_once')
    .doc(
      'Delivery guarantee: `at_least_once`; `exactly_once`, in transactions within one Kafka cluster; or `at_most_once`, which commits before processing.',
    ),
  commitInterval: field
    .durationMs({ min: 1 })
    .default(COMMIT_INTERVAL_MS)
    .aliases('commit_interval')
    .doc('Time between transaction commits, with `exactly_once`. Readers see records up to this much later.')
    .example('PT0.1S'),
}

/** Options of the source that have another default with a guarantee. */
export function deliveryDefaults(delivery: Delivery): { readonly source: { readonly [option: string]: unknown } } {
  return { source: delivery === 'exactly_once' ? { isolation: 'read_committed' } : {} }
}

type Promised = Pick<PipelinePlan, 'delivery' | 'source' | 'sink' | 'errorPolicy' | 'commitIntervalMs'>

/** Why the guarantee cannot hold. Paths begin with `source` or `sink`, and then name the option. */
export function deliveryProblems(plan: Promised): readonly OptionProblem[] {
  const { delivery, source, sink } = plan
  if (delivery === 'exactly_once') {
    const outside = [...outsiderProblems('source', source), ...outsiderProblems('sink', sink)]
    return outside.length > 0 ? outside : transactionProblems(plan)
  }
  const problems: OptionProblem[] = []
  if (sink.options['transactionalId'] !== undefined)
    problems.push({
      path: ['sink', 'transactionalId'],
      message: `transactional.id requires delivery exactly_once: it is ${delivery}`,
      suggestion: 'set delivery to exactly_once, or delete it',
    })
  if (delivery === 'at_most_once' && !source.endpoints.joinsTransactions)
    problems.push({
      path: ['source', 'type'],
      message: `Cannot promise at_most_once for source "${source.component}" as it has no offsets to commit before records are processed`,
      suggestion: 'use at_least_once',
    })
  return problems
}

function outsiderProblems(
  kind: 'source' | 'sink',
  { component, endpoints }: PlannedComponent,
): readonly OptionProblem[] {
  if (endpoints.joinsTransactions) return []
  const message = `Cannot promise exactly_once with ${kind} "${component}" as it cannot take part in Kafka transactions`
  return [{ path: [kind, 'type'], message, suggestion: 'use at_least_once' }]
}

/** Why what a sink writes and the offsets of a source cannot be committed by one transaction, or not be read as such. */
function transactionProblems({
  source,
  sink,
  errorPolicy,
  commitIntervalMs = COMMIT_INTERVAL_MS,
}: Promised): readonly OptionProblem[] {
  const problems: OptionProblem[] = []
  const refuse = (isBroken: boolean, path: readonly string[], reason: string, suggestion: string): void => {
    if (isBroken) problems.push({ path, message: `Cannot promise exactly_once ${reason}`, suggestion })
  }
  refuse(
    !sharesCluster(source.endpoints, sink.endpoints),
    ['sink', 'bootstrapServers'],
    'from one cluster to another as a transaction spans only one cluster: source and sink have no bootstrap server in common',
    'use at_least_once',
  )
  refuse(
    sink.options['acks'] !== 'all',
    ['sink', 'acks'],
    `with acks "${String(sink.options['acks'])}" as a record that only the leader has can be lost`,
    'set acks to all',
  )
  refuse(
    sink.options['idempotence'] === false,
    ['sink', 'idempotence'],
    'without enable.idempotence as a retry could write a record twice',
    'leave it out',
  )
  refuse(
    source.options['isolation'] !== 'read_committed',
    ['source', 'isolation'],
    'with isolation.level read_uncommitted as records of aborted transactions would be written',
    'leave it out',
  )
  const timeoutMs = transactionTimeoutOf(source, sink)
  refuse(
    commitIntervalMs > timeoutMs / 2,
    ['sink', 'transactionTimeoutMs'],
    `with a commitInterval of ${commitIntervalMs / 1000} s, as the brokers abort a transaction after ${timeoutMs / 1000} s (transaction.timeout.ms)`,
    `set transaction.timeout.ms to ${2 * commitIntervalMs} or more, or commitInterval to at most half of it`,
  )
  const letters = errorPolicy.deadLetters?.sink.endpoints
  refuse(
    letters !== undefined && !(letters.joinsTransactions && sharesCluster(sink.endpoints, letters)),
    ['errorPolicy', 'deadLetter'],
    'for dead letters that are not in a topic of the same cluster, as they cannot be part of the transaction',
    'write them to a topic',
  )
  return problems
}

/** Milliseconds after which the brokers abort a transaction of a pipeline. */
function transactionTimeoutOf(source: PlannedComponent, sink: PlannedComponent): number {
  const { transactionTimeoutMs, transactionalId } = sink.options
  if (typeof transactionTimeoutMs === 'number') return transactionTimeoutMs
  const hasName = (transactionalId ?? source.options['instanceId']) !== undefined
  return hasName ? TRANSACTION_TIMEOUT_MS : UNIQUE_TRANSACTION_TIMEOUT_MS
}

/**
 * Where whole record batches are forwarded as they were read, options that shape batches change nothing. Only a run knows how
 * many partitions the topics have, so this is what may happen.
 * @returns a warning whose path begins with `sink`
 */
export function forwardingWarning({ source, stages, sink }: PipelinePlan): OptionProblem | undefined {
  const { compression, keepPartition, keyField, partitioner, includeMeta } = sink.options
  const isForwarded =
    stages.length === 0 &&
    [source, sink].every(({ endpoints }) => endpoints.joinsTransactions) &&
    (keepPartition ?? (keyField === undefined && partitioner === 'murmur2')) === true &&
    includeMeta !== true &&
    source.options['maxPollRecords'] === undefined
  if (!isForwarded || compression === 'none') return undefined
  return {
    path: ['sink', 'compression'],
    message: `compression.type (${String(compression)}) has no effect on record batches that are forwarded unchanged, which happens here if both topics have the same number of partitions`,
    suggestion: 'set keepPartition to false to compress all of them again, or delete it',
    warning: true,
  }
}

/** Why the guarantee cannot hold for one of several sinks behind the first one. Paths begin with `sink`. */
export function fanoutProblems(plan: Promised, other: PlannedComponent): readonly OptionProblem[] {
  const problems = deliveryProblems({ ...plan, sink: other }).filter(({ path }) => path[0] === 'sink')
  if (plan.delivery !== 'exactly_once' || ![plan.sink, other].every(({ endpoints }) => endpoints.joinsTransactions))
    return problems
  const differing = Object.keys(PRODUCER_FIELDS).filter(
    (name) => !OF_EACH_SINK.has(name) && !isDeepStrictEqual(plan.sink.options[name], other.options[name]),
  )
  return [
    ...problems,
    ...differing.map((name) => ({
      path: ['sink', name],
      message: `Option "${name}" must be the same as in the first sink, as with exactly_once one producer writes to all sinks in one transaction`,
      suggestion: 'delete it, or use the same value',
    })),
  ]
}

/** Options that may differ, as each sink has its own, or that are asked for of each sink anyway. */
const OF_EACH_SINK: ReadonlySet<string> = new Set([
  ...Object.keys(CLUSTER_FIELDS),
  'acks',
  'idempotence',
  'valueSerializer',
])
