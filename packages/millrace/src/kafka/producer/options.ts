/**
 * Options of the producer, their defaults and their limits. Names are Kafka's property names in camel case, with units.
 */
import { ConfigError, type ConfigProblem } from '../../errors/index.ts'
import { PARTITIONERS, type PartitionFunction, type PartitionerName } from './partitioners.ts'
import { PRODUCER_LIMITS } from '../properties/producer-limits.ts'
import { CODECS, type Codec, COMPRESSION_LEVELS } from '../protocol/compression.ts'

export interface ProducerOptions {
  /** Who must have a record before it counts as written: nobody, the leader, or all in-sync replicas; `acks`, `all`. */
  readonly acks?: 0 | 1 | 'all'
  /** Whether each record is written once and in order whatever is tried again; `enable.idempotence`, true with `acks` `all`. */
  readonly idempotence?: boolean
  /** How long a batch waits for more records; `linger.ms`, 5. 0 sends what one call to `write` brought. */
  readonly lingerMs?: number
  /** Size of a record batch before compression; `batch.size`, 16384. A larger record gets a batch of its own. */
  readonly batchBytes?: number
  /** Most records of a record batch; no limit. */
  readonly batchRecords?: number | undefined
  /** Whether what follows a failed batch in its partition fails with it, unless it is written already; idempotent producers only. */
  readonly failsFollowing?: boolean
  /** `compression.type`, `none`. */
  readonly compression?: Codec
  /** `compression.gzip.level`, `compression.lz4.level`, `compression.zstd.level`; the codec's own default. */
  readonly compressionLevel?: number | undefined
  /** Requests under way per broker; `max.in.flight.requests.per.connection`, 5, which is also the most with idempotence. */
  readonly maxInFlight?: number
  /** Most bytes of record batches in one request, and of one record before compression; `max.request.size`, 1 MiB. */
  readonly maxRequestBytes?: number
  /** Memory for records that are not yet acknowledged; when it is used up, `write` waits. `buffer.memory`, 32 MiB. */
  readonly bufferBytes?: number
  /** Time from `write` to acknowledgement before a record has failed; `delivery.timeout.ms`, 120 s. */
  readonly deliveryTimeoutMs?: number
  /** How long a broker may take for one request; `request.timeout.ms`, 30 s. */
  readonly requestTimeoutMs?: number
  /** `partitioner.class`: `murmur2` (as the Java client) by default. */
  readonly partitioner?: PartitionerName | PartitionFunction
}

/** All options, with defaults filled in. */
export type ProducerSettings = Required<Omit<ProducerOptions, 'compressionLevel' | 'batchRecords'>> & {
  readonly batchRecords: number | undefined
  readonly compressionLevel: number | undefined
}

/** More batches of one producer and partition than these a leader does not remember. */
const MAX_IDEMPOTENT_IN_FLIGHT = 5

/**
 * Fills in the defaults.
 * @throws {ConfigError} with all problems
 */
export function completeProducerOptions(options: ProducerOptions): ProducerSettings {
  const acks = options.acks ?? 'all'
  const settings: ProducerSettings = {
    acks,
    idempotence: options.idempotence ?? acks === 'all',
    lingerMs: options.lingerMs ?? 5,
    batchBytes: options.batchBytes ?? 16_384,
    batchRecords: options.batchRecords,
    failsFollowing: options.failsFollowing ?? false,
    compression: options.compression ?? 'none',
    compressionLevel: options.compressionLevel,
    maxInFlight: options.maxInFlight ?? 5,
    maxRequestBytes: options.maxRequestBytes ?? 1024 * 1024,
    bufferBytes: options.bufferBytes ?? 32 * 1024 * 1024,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    partitioner: options.partitioner ?? 'murmur2',
  }
  const problems = problemsOf(settings)
  if (problems.length > 0)
    throw new ConfigError(
      `Cannot use the options of the producer: ${problems.map(({ message }) => message).join('; ')}`,
      problems,
    )
  // A batch is never larger than the request or the memory that has to hold it.
  return { ...settings, batchBytes: Math.min(settings.batchBytes, settings.maxRequestBytes, settings.bufferBytes) }
}

function problemsOf(settings: ProducerSettings): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const add = (path: string, wanted: string, value: unknown): void => {
    problems.push({ path, message: `"${path}" must be ${wanted}: current value is ${JSON.stringify(value)}` })
  }
  const { acks, compression, compressionLevel: level, partitioner } = settings
  for (const [option, { min, max }] of Object.entries(PRODUCER_LIMITS)) {
    const value = settings[option as keyof typeof PRODUCER_LIMITS]
    if (!Number.isInteger(value) || value < min || value > max)
      add(option, `a whole number from ${min} to ${max}`, value)
  }
  if (acks !== 0 && acks !== 1 && acks !== 'all') add('acks', '0, 1 or "all"', acks)
  if (settings.idempotence && acks !== 'all') add('acks', '"all" with idempotence', acks)
  if (settings.idempotence && settings.maxInFlight > MAX_IDEMPOTENT_IN_FLIGHT)
    add('maxInFlight', `at most ${MAX_IDEMPOTENT_IN_FLIGHT} with idempotence`, settings.maxInFlight)
  if (!CODECS.includes(compression)) add('compression', `one of ${CODECS.join(', ')}`, compression)
  const levels = COMPRESSION_LEVELS[compression]
  if (
    level !== undefined &&
    levels !== undefined &&
    !(Number.isInteger(level) && level >= levels.min && level <= levels.max)
  )
    add('compressionLevel', `from ${levels.min} to ${levels.max} for ${compression}`, level)
  if (typeof partitioner !== 'function' && !PARTITIONERS.includes(partitioner))
    add('partitioner', `one of ${PARTITIONERS.join(', ')} or a function`, partitioner)
  return problems
}
