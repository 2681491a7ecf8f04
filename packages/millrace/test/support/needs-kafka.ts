/**
 * Tests that need Apache Kafka or its tools, and why. All others run on both brokers: the project `integration` has Apache
 * Kafka, the project `embedded` the embedded broker.
 */

const BED = 'they test the test bed, which starts Apache Kafka'
const TOOLS = "Kafka's own tools and clients run on Java"
const MESSAGES = 'Java writes the messages to compare with'
const LISTENERS = 'one broker has listeners of several kinds; each of the embedded broker has all of them secured alike'
const REGISTRY = 'Apicurio Registry runs on Java'
const MEMBERS = 'groups of the embedded broker lose their members when its process ends'
const COMPARED = 'they compare the embedded broker with Apache Kafka'

/** By file and by the name of the `describe` or `test`. */
export const NEEDS_KAFKA: { readonly [file: string]: { readonly [name: string]: string } } = {
  'broker/differential.integration.test.ts': { 'the embedded broker': COMPARED },
  'broker/security/java.integration.test.ts': {
    'the console clients use users and ACLs that kafka-configs and kafka-acls have set': TOOLS,
  },
  'cli/permissions.integration.test.ts': { 'a principal that lacks a permission': LISTENERS },
  'codecs/schemas/exchange.integration.test.ts': { 'exchange with Java': TOOLS },
  'codecs/schemas/pipelines.integration.test.ts': { 'pipelines with schemas': REGISTRY },
  'codecs/schemas/schema-ids.integration.test.ts': { 'schema ids': REGISTRY },
  'dialects/connectors/index.integration.test.ts': { 'files of connectors': LISTENERS },
  'dialects/linear/index.integration.test.ts': { 'the blocks of the seed': LISTENERS },
  'kafka/cluster/log-offsets.integration.test.ts': { 'finds the beginning, the end, and a time in a log': TOOLS },
  'kafka/consumer/beside-java.integration.test.ts': { 'a consumer beside that of Java': TOOLS },
  'kafka/group/session.integration.test.ts': {
    'beside a Java consumer': TOOLS,
    'when the coordinator is restarted': MEMBERS,
  },
  'kafka/producer/producer.integration.test.ts': {
    'what it writes with %s is read by the Java consumer': TOOLS,
  },
  'kafka/protocol/locate-records.integration.test.ts': {
    'record batches of the Java producer': TOOLS,
    'compressed record batches of ours': TOOLS,
  },
  'kafka/security/listeners.integration.test.ts': { 'a broker with every kind of listener': LISTENERS },
  'kafka/security/sessions.integration.test.ts': { 'a broker with sessions that end': LISTENERS },
  'materialize/avro.integration.test.ts': { 'materialize-kafka with Avro': REGISTRY },
  'materialize/security.integration.test.ts': { 'materialize-kafka with TLS and SASL': LISTENERS },
  'protocol/java-messages.integration.test.ts': { 'the protocol': MESSAGES },
  'schema-registry/client.integration.test.ts': { 'the client of a schema registry': REGISTRY },
  'test-bed/kafka.integration.test.ts': { 'shared broker': BED, 'broker of its own': BED, 'three brokers': BED },
}

/** What was skipped because of that, as lines of text: each reason with its files. */
export function listNeedsKafka(): string[] {
  const files = new Map<string, Set<string>>()
  for (const [file, tests] of Object.entries(NEEDS_KAFKA))
    for (const reason of Object.values(tests))
      files.set(reason, (files.get(reason) ?? new Set()).add(file.replace('.integration.test.ts', '')))
  return [...files].map(([reason, names]) => `  ${reason}: ${[...names].join(', ')}`)
}
