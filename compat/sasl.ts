/** Brokers of either kind that ask for SASL: SCRAM-SHA-256, or OAUTHBEARER with tokens without a signature. */
import { type EmbeddedBroker, startBroker } from '../packages/millrace/src/broker/index.ts'
import { type KafkaCluster, startKafka } from '../test-bed/kafka.ts'
import { freePorts } from '../test-bed/probe.ts'

/** Who may authenticate by SCRAM. */
export const SASL_USER = { name: 'admin', password: 'secret' } as const

const PREFIX = 'listener.name.side'
const MODULES = 'org.apache.kafka.common.security'

/** @param log receives a line for each thing that no client should do */
export async function startEmbeddedWithSasl(log: (line: string) => void): Promise<EmbeddedBroker> {
  return startBroker({ sasl: { 'SCRAM-SHA-256': { [SASL_USER.name]: SASL_USER.password }, OAUTHBEARER: ownerOf }, log })
}

/** As the validator that Apache Kafka uses unless another one is configured. */
function ownerOf(token: string): { principal: string; expiresAtMs: number } | undefined {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    sub: string
    exp: number
  }
  const expiresAtMs = claims.exp * 1000
  return expiresAtMs < Date.now() ? undefined : { principal: claims.sub, expiresAtMs }
}

/** Its clients have to come in by the door that asks for SASL, whose address is `secured`. */
export async function startApacheKafkaWithSasl(): Promise<{ cluster: KafkaCluster; secured: string }> {
  const [port = 0] = await freePorts(1)
  const cluster = await startKafka({
    ephemeral: true,
    sideDoors: [{ port, advertisedPort: port }],
    properties: {
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SIDE:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
      [`${PREFIX}.sasl.enabled.mechanisms`]: 'SCRAM-SHA-256,OAUTHBEARER',
      [`${PREFIX}.scram-sha-256.sasl.jaas.config`]: `${MODULES}.scram.ScramLoginModule required;`,
      [`${PREFIX}.oauthbearer.sasl.jaas.config`]: `${MODULES}.oauthbearer.OAuthBearerLoginModule required;`,
    },
  })
  try {
    const user = ['--entity-type', 'users', '--entity-name', SASL_USER.name]
    const credentials = ['--add-config', `SCRAM-SHA-256=[password=${SASL_USER.password}]`]
    const command = ['--bootstrap-server', cluster.bootstrapServers, '--alter', ...credentials, ...user]
    await cluster.javaTool('kafka.admin.ConfigCommand', command)
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return { cluster, secured: `127.0.0.1:${port}` }
}
