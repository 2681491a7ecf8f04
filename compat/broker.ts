/** The broker that a suite runs against: the embedded one in this process, Apache Kafka of the test bed, or a given one. */
import { startBroker } from '../packages/millrace/src/broker/index.ts'
import { startKafka } from '../test-bed/kafka.ts'
import { startApacheKafkaWithSasl, startEmbeddedWithSasl } from './sasl.ts'
import type { BrokerKind, Suite } from './suite.ts'

export interface SuiteBroker {
  readonly kind: BrokerKind
  readonly bootstrapServers: string
  stop(): Promise<void>
}

/** Suites may write some hundred megabytes, and then expect to read all of it. */
const RETENTION_BYTES = 2 * 1024 ** 3

/** As the test bed sets Apache Kafka, because suites ask for short sessions. */
const QUICK_GROUPS = { minSessionTimeoutMs: 1000 }

const ACLS = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': 'true',
}

/** @param log receives a line for each thing that no client should do, such as a malformed request */
export async function startEmbedded(options: Suite['broker'], log: (line: string) => void): Promise<SuiteBroker> {
  const { hasAcls = false, hasSasl = false, ...settings } = options ?? {}
  const broker = hasSasl
    ? await startEmbeddedWithSasl(log)
    : await startBroker({
        retentionBytes: RETENTION_BYTES,
        groups: QUICK_GROUPS,
        ...settings,
        ...(hasAcls ? { authorization: { allowIfNoAcl: true } } : {}),
        log,
      })
  return {
    kind: 'embedded',
    bootstrapServers: broker.bootstrapServers,
    stop: async () => broker.close(),
  }
}

/** Apache Kafka with the same settings, for this run alone. */
export async function startApacheKafka(options: Suite['broker']): Promise<SuiteBroker> {
  if (options?.hasSasl === true) {
    const { cluster, secured } = await startApacheKafkaWithSasl()
    return { kind: 'kafka', bootstrapServers: secured, stop: async () => cluster.stop() }
  }
  const kafka = await startKafka({
    ephemeral: true,
    brokers: (options?.nodes ?? 1) > 1 ? 3 : 1,
    properties: {
      'auto.create.topics.enable': String(options?.autoCreateTopics ?? true),
      'num.partitions': options?.defaultPartitions ?? 1,
      // As on the embedded broker, and as Kafka has it when not told otherwise.
      'message.max.bytes': 1_048_588,
      ...(options?.hasAcls === true ? ACLS : {}),
    },
  })
  return { kind: 'kafka', bootstrapServers: kafka.bootstrapServers, stop: async () => kafka.stop() }
}

/** A broker that runs already; it is taken for Apache Kafka. */
export function givenBroker(bootstrapServers: string): SuiteBroker {
  return { kind: 'kafka', bootstrapServers, stop: async () => {} }
}
