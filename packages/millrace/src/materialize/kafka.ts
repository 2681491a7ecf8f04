/**
 * The clients of the connector, from its endpoint configuration: as the original's, acks all, idempotent, and the
 * partitioner of librdkafka.
 */
import { ConfigError } from '../errors/index.ts'
import { Cluster } from '../kafka/cluster/cluster.ts'
import type { ProducerOptions } from '../kafka/producer/options.ts'
import { Producer } from '../kafka/producer/producer.ts'
import { PRODUCER_FIELDS } from '../kafka/properties/producer-fields.ts'
import { PRODUCER_RULES } from '../kafka/properties/rules.ts'
import { clusterOptions, producerSettings } from '../kafka/properties/settings.ts'
import { parseOptions } from '../options/parse.ts'
import type { EndpointConfig } from './config.ts'

const CLIENT_ID = 'materialize-kafka'
/** Validate, Apply. */
const SHORT_TIMEOUT_MS = 60_000
/** How long a record is tried, as the original's default. */
const DELIVERY_TIMEOUT_MS = 300_000
/** Records in memory that are not acknowledged. Also the largest record, the same as Flow's largest document. */
const BUFFER_BYTES = 64 << 20
const BATCH_BYTES = 128 << 10

/** @throws {ConfigError} for addresses or credentials that make no sense */
function settingsOf(config: EndpointConfig, apiTimeoutMs: number): ReturnType<typeof producerSettings> {
  const { bootstrapServers, credentials, tls, compression } = config
  const { options, problems } = parseOptions(
    { options: PRODUCER_FIELDS, rules: PRODUCER_RULES },
    {
      bootstrapServers,
      'client.id': CLIENT_ID,
      'security.protocol': `${credentials === undefined ? '' : 'SASL_'}${tls ? 'SSL' : 'PLAINTEXT'}`,
      ...(credentials && {
        'sasl.mechanism': credentials.mechanism,
        'sasl.username': credentials.username,
        'sasl.password': credentials.password,
      }),
      acks: 'all',
      'enable.idempotence': true,
      'compression.type': compression,
      'partitioner.class': 'crc32',
      'batch.size': BATCH_BYTES,
      'buffer.memory': BUFFER_BYTES,
      'max.request.size': BUFFER_BYTES,
      'delivery.timeout.ms': DELIVERY_TIMEOUT_MS,
      'max.block.ms': apiTimeoutMs,
    },
  )
  if (problems.length > 0) throw ConfigError.of('Cannot use the endpoint configuration', problems)
  return producerSettings(options)
}

/** A cluster that has not connected yet. The caller closes it. @throws {ConfigError} */
export async function openCluster(config: EndpointConfig): Promise<Cluster> {
  const { cluster } = settingsOf(config, SHORT_TIMEOUT_MS)
  return new Cluster(await withSystemCertificates(cluster, config))
}

export interface OpenProducer {
  readonly producer: Producer
  readonly cluster: Cluster
}

/** A producer that connects when it is first written to. The caller closes both. @throws {ConfigError} */
export async function openProducer(config: EndpointConfig): Promise<OpenProducer> {
  const settings = settingsOf(config, DELIVERY_TIMEOUT_MS)
  const cluster = new Cluster(await withSystemCertificates(settings.cluster, config))
  // What follows a failed batch must not be written: the transaction that it belongs to is not committed.
  const options: ProducerOptions = { ...settings.producer, failsFollowing: true }
  return { cluster, producer: new Producer(cluster, options) }
}

/** TLS trusts what the system does, and what Node.js does. */
async function withSystemCertificates(
  settings: Parameters<typeof clusterOptions>[0],
  { tls }: EndpointConfig,
): ReturnType<typeof clusterOptions> {
  const options = await clusterOptions(settings, { directory: process.cwd(), clientId: CLIENT_ID })
  if (!tls) return options
  const { getCACertificates } = await import('node:tls')
  return { ...options, tls: { ...options.tls, ca: [...getCACertificates('default'), ...getCACertificates('system')] } }
}
