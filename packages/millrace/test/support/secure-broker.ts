/**
 * A broker that serves in clear text and, at a second door, with TLS and SASL: user `user` with password `pass` for PLAIN,
 * `bob` with `bob-secret` for SCRAM. Its certificates are those of fixtures/tls.
 */
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { startKafka, type KafkaCluster } from '../../../../test-bed/kafka.ts'
import { freePorts } from '../../../../test-bed/probe.ts'

export const TLS_FIXTURES: string = join(import.meta.dirname, '../fixtures/tls')

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule'
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule'
const SIDE = 'listener.name.side'

export interface SecureBroker {
  readonly kafka: KafkaCluster
  /** Address of the door in clear text. */
  readonly plaintext: string
  /** Address of the door that asks for SASL_SSL. */
  readonly secured: string
}

/**
 * One for the tests of this file or `describe`.
 * @param clientAuth whether the broker wants a certificate of ours
 * @param authorizes whether users may do only what was granted to them; everything is permitted at the door in clear text
 */
export function secureBroker({
  clientAuth,
  authorizes = false,
}: {
  readonly clientAuth: 'requested' | 'required'
  readonly authorizes?: boolean
}): () => SecureBroker {
  let broker: SecureBroker | undefined
  beforeAll(async () => {
    const [port = 0] = await freePorts(1)
    const kafka = await startKafka({
      ephemeral: true,
      sideDoors: [{ port, advertisedPort: port }],
      properties: {
        'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT,SIDE:SASL_SSL,CONTROLLER:PLAINTEXT`,
        [`${SIDE}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        [`${SIDE}.plain.sasl.jaas.config`]: `${PLAIN} required user_user="pass";`,
        [`${SIDE}.scram-sha-256.sasl.jaas.config`]: `${SCRAM} required;`,
        [`${SIDE}.scram-sha-512.sasl.jaas.config`]: `${SCRAM} required;`,
        [`${SIDE}.ssl.keystore.location`]: join(TLS_FIXTURES, 'server.p12'),
        [`${SIDE}.ssl.keystore.type`]: 'PKCS12',
        [`${SIDE}.ssl.keystore.password`]: 'changeit',
        [`${SIDE}.ssl.truststore.location`]: join(TLS_FIXTURES, 'trust.p12'),
        [`${SIDE}.ssl.truststore.type`]: 'PKCS12',
        [`${SIDE}.ssl.truststore.password`]: 'changeit',
        [`${SIDE}.ssl.client.auth`]: clientAuth,
        ...(authorizes
          ? {
              'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
              'super.users': 'User:ANONYMOUS',
            }
          : {}),
      },
    })
    broker = { kafka, plaintext: kafka.bootstrapServers, secured: `127.0.0.1:${port}` }
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      const user = ['--entity-type', 'users', '--entity-name', 'bob']
      const credentials = ['--add-config', `${mechanism}=[password=bob-secret]`]
      await kafka.javaTool('kafka.admin.ConfigCommand', [
        '--bootstrap-server',
        kafka.bootstrapServers,
        '--alter',
        ...credentials,
        ...user,
      ])
    }
  })
  afterAll(() => broker?.kafka.stop())
  return () => {
    if (broker === undefined) throw new Error('The broker runs during tests only')
    return broker
  }
}
