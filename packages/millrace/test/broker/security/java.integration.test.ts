/** Java's own clients and tools against the embedded broker with TLS, SASL and ACLs. */
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { javaAvailable, javaTool } from '../../support/broker.ts'
import { TLS_FIXTURES } from '../../support/secure-broker.ts'

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule'
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule'

let folder: string
let broker: EmbeddedBroker
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-java-'))
  broker = await startBroker({
    tls: { pfx: readFileSync(join(TLS_FIXTURES, 'server.p12')), passphrase: 'changeit' },
    sasl: { PLAIN: { admin: 'admin' }, 'SCRAM-SHA-512': {} },
    authorization: { superUsers: ['User:admin'] },
    topics: { a: 1 },
  })
  for (const [name, mechanism, jaas] of [
    ['admin', 'PLAIN', `${PLAIN} required username="admin" password="admin";`],
    ['alice', 'SCRAM-SHA-512', `${SCRAM} required username="alice" password="secret";`],
  ] as const)
    writeFileSync(
      join(folder, name),
      [
        'security.protocol=SASL_SSL',
        `sasl.mechanism=${mechanism}`,
        `sasl.jaas.config=${jaas}`,
        `ssl.truststore.location=${join(TLS_FIXTURES, 'trust.p12')}`,
        'ssl.truststore.password=changeit',
        'ssl.truststore.type=PKCS12',
      ].join('\n'),
    )
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await broker.close()
})

test.skipIf(!javaAvailable)(
  'the console clients use users and ACLs that kafka-configs and kafka-acls have set',
  async () => {
    const at = ['--bootstrap-server', broker.bootstrapServers]
    const asAdmin = ['--command-config', join(folder, 'admin')]
    const user = ['--entity-type', 'users', '--entity-name', 'alice']
    await javaTool('kafka.admin.ConfigCommand', [
      ...at,
      ...asAdmin,
      '--alter',
      ...user,
      '--add-config',
      'SCRAM-SHA-512=[password=secret]',
    ])
    const write = async (value: string): Promise<{ stderr: string }> =>
      javaTool(
        'org.apache.kafka.tools.ConsoleProducer',
        [...at, '--topic', 'a', '--command-config', join(folder, 'alice')],
        {
          stdin: `${value}\n`,
        },
      )
    expect((await write('refused')).stderr).toContain('Not authorized to access topics: [a]')
    const allow = ['--add', '--allow-principal', 'User:alice']
    await javaTool('org.apache.kafka.tools.AclCommand', [
      ...at,
      ...asAdmin,
      ...allow,
      '--producer',
      '--consumer',
      '--topic',
      'a',
      '--group',
      '*',
    ])
    await write('hello')
    const { stdout } = await javaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
      ...at,
      '--topic',
      'a',
      '--command-config',
      join(folder, 'alice'),
      '--from-beginning',
      '--max-messages',
      '1',
      '--timeout-ms',
      '30000',
    ])
    expect(stdout.trim()).toBe('hello')
    const listed = await javaTool('org.apache.kafka.tools.AclCommand', [...at, ...asAdmin, '--list'])
    expect(listed.stdout).toContain('principal=User:alice')
  },
)
