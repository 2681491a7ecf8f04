/** From the options of a `KafkaSink` to what its parts take. */
import { ConfigError } from '../../errors/index.ts'
import type { ProducerOptions } from '../../kafka/producer/options.ts'
import type { PartitionFunction } from '../../kafka/producer/partitioners.ts'
import { COMMON_PRODUCER_RULES, deliveryTimeoutProblem, inFlightTrouble } from '../../kafka/properties/rules.ts'
import { type ClusterSettings, producerSettings } from '../../kafka/properties/settings.ts'
import { type OptionRule, type Options, problem, warning } from '../../options/declaration.ts'
import { parseOptions } from '../../options/parse.ts'
import { formatProblem } from '../formats.ts'
import { IGNORED_SINK_FIELDS, KAFKA_SINK_FIELDS } from './fields.ts'

type Fields = typeof KAFKA_SINK_FIELDS

/** What the parts of a `KafkaSink` take. */
export interface SinkSettings {
  readonly topic: string | undefined
  readonly cluster: ClusterSettings
  readonly producer: ProducerOptions
  /** Undefined without transactions. */
  readonly transaction: { readonly transactionalId: string; readonly timeoutMs: number | undefined } | undefined
  /** Undefined when it is turned off. */
  readonly breaker: { readonly failureThreshold: number; readonly openMs: number } | undefined
  /** Whether every record must name its partition. */
  readonly needsPartition: boolean
  readonly warnings: readonly string[]
}

const DEFAULT_BATCH_BYTES = 16_384
/** Room in a batch for each of its records, if their number was set and their size was not. */
const BYTES_PER_RECORD = 128
const DEFAULT_REQUEST_TIMEOUT_MS = 30_000
const LONGEST_BLOCK_MS = 60_000
const LONGEST_BACKOFF_MS = 60_000

const RULES: readonly OptionRule<Fields>[] = [
  ...COMMON_PRODUCER_RULES,
  (options) => {
    const text = inFlightTrouble(options)
    return text === undefined ? undefined : warning('maxInFlight', `${text}, so 5 is used`, 'set it to 5 or less')
  },
  (options) => deliveryTimeoutProblem({ ...options, requestTimeoutMs: options.requestTimeoutMs ?? 1 }),
  ({ keySerializer }) => formatProblem('keySerializer', keySerializer, 'write keys as bytes, for example a Buffer'),
  ({ valueSerializer }) =>
    formatProblem(
      'valueSerializer',
      valueSerializer,
      'pass serializer, or write values as bytes, for example a Buffer',
    ),
  ({ enableTransactions, transactionalId }) => {
    if (enableTransactions === true && transactionalId === undefined)
      return problem(
        'enableTransactions',
        'Transactions require a transactionalId',
        'set one that no other running sink uses',
      )
    return enableTransactions === false && transactionalId !== undefined
      ? warning('transactionalId', 'transactionalId has no effect, as enableTransactions is false')
      : undefined
  },
  (options, isSet) => {
    const { deliveryGuarantee, acks, idempotence, maxRetries } = options
    if (deliveryGuarantee === 'exactly_once' && !hasTransactions(options))
      return problem(
        'deliveryGuarantee',
        'The delivery guarantee exactly_once requires transactions',
        'set transactionalId',
      )
    if (deliveryGuarantee !== 'at_most_once') return undefined
    if (hasTransactions(options))
      return problem('deliveryGuarantee', 'Transactions do not go with the delivery guarantee at_most_once')
    const other =
      isSet('acks') && acks !== '0'
        ? 'acks'
        : idempotence === true
          ? 'idempotence'
          : isSet('maxRetries') && maxRetries > 0
            ? 'maxRetries'
            : undefined
    return other === undefined
      ? undefined
      : problem(
          other,
          `The delivery guarantee at_most_once means acks 0 and no retries, but ${other} is set`,
          'delete it',
        )
  },
  ({ partitionStrategy }, isSet) =>
    partitionStrategy !== 'key_hash' && isSet('partitioner')
      ? problem(
          'partitioner',
          `partitioner has no effect with the partition strategy ${partitionStrategy}`,
          'delete one',
        )
      : undefined,
  ({ circuitBreakerTimeoutSecs }, isSet) =>
    circuitBreakerTimeoutSecs !== undefined && isSet('circuitBreakerTimeout')
      ? problem(
          'circuitBreakerTimeoutSecs',
          'Cannot use both circuitBreakerTimeout and circuitBreakerTimeoutSecs as they set the same thing',
          'delete one',
        )
      : undefined,
]

function hasTransactions({
  enableTransactions,
  transactionalId,
}: Pick<Options<Fields>, 'enableTransactions' | 'transactionalId'>): boolean {
  return transactionalId !== undefined && enableTransactions !== false
}

/** @throws {ConfigError} with all problems of the options */
export function sinkSettings(given: object): SinkSettings {
  const { partitioner, ...rest } = given as { readonly partitioner?: unknown }
  const chooses = typeof partitioner === 'function' ? (partitioner as PartitionFunction) : undefined
  let batchSizeIsSet = false
  const look: OptionRule<Fields> = (_, isSet) => {
    batchSizeIsSet = isSet('batchSize')
    return undefined
  }
  const { options, problems, warnings } = parseOptions<Fields>(
    { options: { ...KAFKA_SINK_FIELDS, ...IGNORED_SINK_FIELDS }, rules: [...RULES, look] },
    chooses === undefined && partitioner !== undefined ? { ...rest, partitioner } : rest,
  )
  if (problems.length > 0) throw ConfigError.of('Cannot create a KafkaSink', problems)
  const { batchSize, batchBytes, deliveryTimeoutMs, lingerMs, retryBackoffMs, transactionalId } = options
  const atMostOnce = options.deliveryGuarantee === 'at_most_once'
  const { cluster, producer } = producerSettings({
    ...options,
    ...(atMostOnce ? { acks: '0' as const, idempotence: false } : {}),
    batchBytes: batchBytes ?? Math.max(DEFAULT_BATCH_BYTES, batchSizeIsSet ? batchSize * BYTES_PER_RECORD : 0),
    requestTimeoutMs: options.requestTimeoutMs ?? Math.min(DEFAULT_REQUEST_TIMEOUT_MS, deliveryTimeoutMs - lingerMs),
    maxBlockMs: options.maxBlockMs ?? Math.min(LONGEST_BLOCK_MS, deliveryTimeoutMs),
  })
  const transactional = hasTransactions(options)
  return {
    topic: options.topic,
    cluster,
    producer: {
      ...producer,
      batchRecords: batchBytes === undefined || batchSizeIsSet ? batchSize : undefined,
      maxRetries: atMostOnce ? 0 : options.maxRetries,
      retryBackoff: { initialMs: 2 * retryBackoffMs, maxMs: LONGEST_BACKOFF_MS },
      partitioner: chooses ?? partitionerOf(options.partitionStrategy, producer.partitioner),
    },
    transaction: transactional
      ? { transactionalId: transactionalId!, timeoutMs: options.transactionTimeoutMs }
      : undefined,
    breaker: options.enableCircuitBreaker
      ? {
          failureThreshold: options.circuitBreakerThreshold,
          openMs:
            options.circuitBreakerTimeoutSecs === undefined
              ? options.circuitBreakerTimeout
              : options.circuitBreakerTimeoutSecs * 1000,
        }
      : undefined,
    needsPartition: options.partitionStrategy === 'custom',
    warnings: warnings.map(({ message }) => message),
  }
}

function partitionerOf(
  strategy: Options<Fields>['partitionStrategy'],
  named: ProducerOptions['partitioner'],
): ProducerOptions['partitioner'] {
  if (strategy === 'round_robin') return 'round_robin'
  return strategy === 'single' ? () => 0 : named
}
