/**
 * A broker with a listener of every kind: in clear text and with TLS, without and with SASL. User `user` with password `pass` for PLAIN, `bob` with
 * `bob-secret` for SCRAM, tokens of a `TokenServer` for OAUTHBEARER, the key of `AWS` for AWS_MSK_IAM. Its certificates are those of fixtures/tls.
 */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { compileJava } from '../../../../test-bed/java.ts'
import { startKafka, type KafkaCluster } from '../../../../test-bed/kafka.ts'
import { freePorts } from '../../../../test-bed/probe.ts'
import { TLS_FIXTURES } from './secure-broker.ts'
import { TokenServer } from './token-server.ts'

export const AWS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
} as const

/** Sessions at the listener `SHORT` end after so long. */
export const SHORT_SESSION_MS = 6000

/** What each listener speaks. */
const LISTENERS = {
  /** TLS; the broker shows its certificate. */
  SSL: 'SSL',
  /** TLS; the client has to show one, too. */
  MTLS: 'SSL',
  /** SASL in clear text; OAUTHBEARER takes unsigned tokens. */
  SASL: 'SASL_PLAINTEXT',
  /** SASL over TLS; OAUTHBEARER takes the tokens of the token server. */
  SASL_TLS: 'SASL_SSL',
  /** The same, and the client has to show a certificate. */
  SASL_MTLS: 'SASL_SSL',
  /** SASL in clear text with short sessions and the tokens of the token server. */
  SHORT: 'SASL_PLAINTEXT',
} as const

export type ListenerName = keyof typeof LISTENERS | 'PLAINTEXT'

export interface ListenerBroker {
  readonly kafka: KafkaCluster
  readonly tokens: TokenServer
  address(listener: ListenerName): string
}

const OAUTH_MODULE = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;'
const VALIDATOR = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler'
const PLAIN_MODULE = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_user="pass";'
const SCRAM_MODULE = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'

/** One for the tests of this file or `describe`. */
export function listenerBroker(): () => ListenerBroker {
  let broker: ListenerBroker | undefined
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-listeners-')))
  beforeAll(async () => {
    const tokens = await TokenServer.start()
    const jwks = join(folder, 'jwks.json')
    writeFileSync(jwks, tokens.jwks)
    await compileJava(join(TLS_FIXTURES, '../sasl/AwsMskIamProvider.java'), folder)
    const names = Object.keys(LISTENERS) as (keyof typeof LISTENERS)[]
    const ports = await freePorts(names.length)
    const kafka = await startKafka({
      ephemeral: true,
      listeners: names.map((name, i) => ({ name, port: ports[i]! })),
      classPath: [folder],
      jvmArgs: [
        `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${pathToFileURL(jwks).href}`,
        `-Dmsk.accessKeyId=${AWS.accessKeyId}`,
        `-Dmsk.secretAccessKey=${AWS.secretAccessKey}`,
        `-Dmsk.region=${AWS.region}`,
        '-Dmsk.host=127.0.0.1',
      ],
      properties: {
        'listener.security.protocol.map': ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT']
          .concat(names.map((name) => `${name}:${LISTENERS[name]}`))
          .join(','),
        'security.providers': 'AwsMskIamProvider$Creator',
        ...certificates(),
        ...mechanisms('SASL'),
        ...mechanisms('SASL_TLS', pathToFileURL(jwks).href),
        ...mechanisms('SASL_MTLS', pathToFileURL(jwks).href),
        ...mechanisms('SHORT', pathToFileURL(jwks).href),
        ...Object.fromEntries(
          ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'].map((mechanism) => [
            `listener.name.short.${mechanism}.connections.max.reauth.ms`,
            mechanism === 'oauthbearer' ? 60_000 : SHORT_SESSION_MS,
          ]),
        ),
      },
    })
    const bob = `--bootstrap-server ${kafka.bootstrapServers} --alter --entity-type users --entity-name bob`.split(' ')
    await Promise.all(
      [256, 512].map((digits) =>
        kafka.javaTool('kafka.admin.ConfigCommand', [
          ...bob,
          '--add-config',
          `SCRAM-SHA-${digits}=[password=bob-secret]`,
        ]),
      ),
    )
    broker = {
      kafka,
      tokens,
      address: (listener) =>
        listener === 'PLAINTEXT' ? kafka.bootstrapServers : `127.0.0.1:${ports[names.indexOf(listener)]}`,
    }
  })
  afterAll(async () => {
    await broker?.kafka.stop()
    await broker?.tokens.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  return () => {
    if (broker === undefined) throw new Error('The broker runs during tests only')
    return broker
  }
}

function certificates(): { [property: string]: string } {
  return {
    'ssl.keystore.location': join(TLS_FIXTURES, 'server.p12'),
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.password': 'changeit',
    'ssl.truststore.location': join(TLS_FIXTURES, 'trust.p12'),
    'ssl.truststore.type': 'PKCS12',
    'ssl.truststore.password': 'changeit',
    'listener.name.mtls.ssl.client.auth': 'required',
    'listener.name.sasl_mtls.ssl.client.auth': 'required',
  }
}

/** @param jwks keys that tokens must be signed with; unsigned ones are taken without */
function mechanisms(listener: string, jwks?: string): { [property: string]: string } {
  const prefix = `listener.name.${listener.toLowerCase()}`
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER,AWS_MSK_IAM',
    [`${prefix}.plain.sasl.jaas.config`]: PLAIN_MODULE,
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: SCRAM_MODULE,
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: SCRAM_MODULE,
    // It asks nothing of a login module; one must be there.
    [`${prefix}.aws_msk_iam.sasl.jaas.config`]: PLAIN_MODULE,
    [`${prefix}.oauthbearer.sasl.jaas.config`]: OAUTH_MODULE,
    ...(jwks === undefined
      ? {}
      : {
          [`${prefix}.oauthbearer.sasl.server.callback.handler.class`]: VALIDATOR,
          [`${prefix}.oauthbearer.sasl.oauthbearer.jwks.endpoint.url`]: jwks,
          [`${prefix}.oauthbearer.sasl.oauthbearer.expected.audience`]: 'kafka',
          [`${prefix}.oauthbearer.sasl.oauthbearer.clock.skew.seconds`]: '0',
        }),
  }
}
