/**
 * A broker that asks for TLS and SASL: what the settings become is understood by the real one.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startKafka, type KafkaCluster } from '../../../../../test-bed/kafka.ts'
import { freePorts } from '../../../../../test-bed/probe.ts'
import { Cluster } from '../../../src/kafka/cluster.ts'
import { CONSUMER_FIELDS } from '../../../src/kafka/properties.ts'
import { clusterOptions, CONSUMER_RULES, consumerSettings } from '../../../src/kafka/settings.ts'
import { parseOptions } from '../../../src/options/parse.ts'
import { brokerAvailable } from '../../support/broker.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/tls')
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule'
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule'

describe.skipIf(!brokerAvailable)('a broker with TLS and SASL', () => {
  let kafka: KafkaCluster
  let address: string

  beforeAll(async () => {
    const [port = 0] = await freePorts(1)
    address = `127.0.0.1:${port}`
    const side = 'listener.name.side'
    kafka = await startKafka({
      ephemeral: true,
      sideDoors: [{ port, advertisedPort: port }],
      properties: {
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SIDE:SASL_SSL,CONTROLLER:PLAINTEXT',
        [`${side}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        [`${side}.plain.sasl.jaas.config`]: `${PLAIN} required user_alice="alice's secret";`,
        [`${side}.scram-sha-256.sasl.jaas.config`]: `${SCRAM} required;`,
        [`${side}.scram-sha-512.sasl.jaas.config`]: `${SCRAM} required;`,
        [`${side}.ssl.keystore.location`]: join(FIXTURES, 'server.p12'),
        [`${side}.ssl.keystore.type`]: 'PKCS12',
        [`${side}.ssl.keystore.password`]: 'changeit',
        [`${side}.ssl.truststore.location`]: join(FIXTURES, 'trust.p12'),
        [`${side}.ssl.truststore.type`]: 'PKCS12',
        [`${side}.ssl.truststore.password`]: 'changeit',
        [`${side}.ssl.client.auth`]: 'requested',
      },
    })
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      await kafka.javaTool('kafka.admin.ConfigCommand', [
        '--bootstrap-server',
        kafka.bootstrapServers,
        '--alter',
        '--add-config',
        `${mechanism}=[password=bob-secret]`,
        '--entity-type',
        'users',
        '--entity-name',
        'bob',
      ])
    }
  })
  afterAll(() => kafka?.stop())

  /** Connects with Kafka properties, as a user writes them. @returns the id of the cluster */
  async function connect(properties: object): Promise<string | null> {
    const { options, problems } = parseOptions(
      { options: CONSUMER_FIELDS, rules: CONSUMER_RULES },
      { 'bootstrap.servers': address, 'default.api.timeout.ms': 1500, ...properties },
    )
    expect(problems).toEqual([])
    const cluster = new Cluster(
      await clusterOptions(consumerSettings(options).cluster, { directory: FIXTURES, clientId: 'test' }),
    )
    try {
      await cluster.connect()
      return cluster.clusterId
    } finally {
      await cluster.close()
    }
  }

  const tls = { 'security.protocol': 'SASL_SSL', 'ssl.truststore.location': 'ca.pem' }
  const alice = {
    'sasl.mechanism': 'PLAIN',
    'sasl.jaas.config': `${PLAIN} required username="alice" password="alice's secret";`,
  }
  const bob = (digits: string): object => ({
    'sasl.mechanism': `SCRAM-SHA-${digits}`,
    'sasl.jaas.config': `${SCRAM} required username="bob" password="bob-secret";`,
  })

  test.each([
    { name: 'PLAIN and a PEM truststore', properties: { ...tls, ...alice } },
    { name: 'SCRAM-SHA-256', properties: { ...tls, ...bob('256') } },
    {
      name: 'SCRAM-SHA-512 and a PKCS12 truststore',
      properties: {
        ...tls,
        ...bob('512'),
        'ssl.truststore.location': 'trust.p12',
        'ssl.truststore.password': 'changeit',
      },
    },
    {
      name: 'a client certificate',
      properties: { ...tls, ...alice, 'ssl.keystore.location': 'server.p12', 'ssl.keystore.password': 'changeit' },
    },
    {
      name: 'user name and password without JAAS',
      properties: { ...tls, 'sasl.mechanism': 'PLAIN', saslUsername: 'alice', saslPassword: "alice's secret" },
    },
  ])('accepts $name', async ({ properties }) => {
    expect(await connect(properties)).toMatch(/\S/)
  })

  test.each([
    {
      name: 'a wrong password',
      properties: { ...tls, 'sasl.mechanism': 'PLAIN', saslUsername: 'alice', saslPassword: 'hush' },
      code: 'AUTHENTICATION_FAILED',
      message: /refused the credentials/,
    },
    {
      name: 'a wrong SCRAM password',
      properties: { ...tls, 'sasl.mechanism': 'SCRAM-SHA-256', saslUsername: 'bob', saslPassword: 'hush' },
      code: 'AUTHENTICATION_FAILED',
      message: /refused the credentials/,
    },
    {
      name: 'an authority that is not trusted',
      properties: { ...tls, ...alice, 'ssl.truststore.location': undefined },
      code: 'TLS_FAILED',
      message: /not signed by a trusted authority/,
    },
    { name: 'clear text', properties: {}, code: 'TLS_FAILED', message: /security\.protocol/ },
    {
      name: 'SASL in clear text',
      properties: { 'security.protocol': 'SASL_PLAINTEXT', ...bob('256') },
      code: 'TLS_FAILED',
      message: /security\.protocol/,
    },
  ])('refuses $name, and the error says why', async ({ properties, code, message }) => {
    const failure: unknown = await connect(properties).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) })
    // I8
    expect(String(failure)).not.toContain('hush')
  })
})
