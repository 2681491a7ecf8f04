/**
 * Properties of Kafka clients are declared in tables: `CLUSTER_FIELDS` here, which consumers and producers share, and those
 * of `consumer-fields.ts` and `producer-fields.ts`. Each property has its name in Millrace, its name in Kafka, a type, a
 * default and a meaning. Files and programs may use either name, but not both. Defaults are those of the Java clients
 * unless the text says otherwise. What the values must be together is in `rules.ts`, what clients take in `settings.ts`.
 *
 * Loads nothing of the client, so that lint stays fast.
 *
 * @see https://kafka.apache.org/43/configuration/
 */
import { field } from '../../options/fields.ts'
import { SECURITY_FIELDS } from '../security/fields.ts'
import { address } from './value-types.ts'

/** How brokers are reached; the same for consumers and producers. */
export const CLUSTER_FIELDS = {
  bootstrapServers: field
    .list(field.of(address), { commaText: true })
    .kafka('bootstrap.servers')
    .aliases('brokers')
    .doc(
      'Addresses of some brokers as `host:port`, separated by commas or as a list. The other brokers are found through them.',
    )
    .example('localhost:9092'),
  clientId: field
    .string()
    .optional()
    .kafka('client.id')
    .doc('Client name in the logs and quotas of brokers. By default `millrace-` and the name of the pipeline.'),
  requestTimeoutMs: field
    .durationMs({ min: 1 })
    .default(30_000)
    .kafka('request.timeout.ms')
    .doc('How long to wait for the response of a broker.'),
  connectTimeoutMs: field
    .durationMs({ min: 1 })
    .default(10_000)
    .kafka('socket.connection.setup.timeout.ms')
    .doc('How long one attempt to connect may take.'),
  metadataMaxAgeMs: field
    .durationMs()
    .default(300_000)
    .kafka('metadata.max.age.ms')
    .doc('How long topic metadata is cached before it is refreshed, for instance to find new partitions.'),
  retryBackoffMs: field
    .durationMs()
    .default(100)
    .kafka('retry.backoff.ms')
    .doc('First wait before a failed request is retried; doubles each time.'),
  retryBackoffMaxMs: field
    .durationMs()
    .default(1000)
    .kafka('retry.backoff.max.ms')
    .doc('Longest wait before a failed request is retried.'),
  ...SECURITY_FIELDS,
}
