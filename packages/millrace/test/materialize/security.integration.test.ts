import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { javaAvailable } from '../support/broker.ts'
import { startConnector, transact } from '../support/flow-session.ts'
import { secureBroker, TLS_FIXTURES } from '../support/secure-broker.ts'
import { topicBed } from '../support/topics.ts'

describe.skipIf(!javaAvailable)('materialize-kafka with TLS and SASL', () => {
  const broker = secureBroker({ clientAuth: 'requested' })
  const bed = topicBed(() => broker().plaintext)

  /** OpenSSL, and so the system, looks for certificates where this says. */
  const TRUSTED = { SSL_CERT_FILE: join(TLS_FIXTURES, 'ca.pem') }

  function materialization(topic: string, credentials: object): object {
    const config = {
      bootstrap_servers: broker().secured,
      message_format: 'JSON',
      topic_partitions: 1,
      topic_replication_factor: 1,
      credentials: { auth_type: 'user_password', ...credentials },
      tls: 'system_certificates',
    }
    const bindings = [{ resourceConfig: { topic }, resourcePath: [topic], fieldSelection: { keys: ['id'] } }]
    return { name: 'acme/orders', config, bindings }
  }

  test.each([
    { mechanism: 'PLAIN', username: 'user', password: 'pass' },
    { mechanism: 'SCRAM-SHA-256', username: 'bob', password: 'bob-secret' },
    { mechanism: 'SCRAM-SHA-512', username: 'bob', password: 'bob-secret' },
  ])('validates, applies and publishes: $mechanism, with the certificates of the system', async (credentials) => {
    const topic = `secured-${credentials.mechanism}`
    const spec = materialization(topic, credentials) as { config: object }
    const first = startConnector('proto', TRUSTED)
    expect(await first.call({ validate: { config: spec.config, bindings: [] } })).toEqual({ validated: {} })
    expect(await first.call({ apply: { materialization: spec } })).toEqual({
      applied: { actionDescription: `create topic ${topic}` },
    })
    expect(await first.end()).toMatchObject({ code: 0 })
    const second = startConnector('proto', TRUSTED)
    await second.call({ open: { materialization: spec } })
    await transact(second, [{ key: [1], values: [] }], 'packed')
    expect(await second.end()).toMatchObject({ code: 0 })
    expect(await bed().values(topic)).toEqual([['{"id":1}']])
  })

  test('refuses a certificate that the system does not trust, and says so', { timeout: 120_000 }, async () => {
    const { config } = materialization('any', { mechanism: 'PLAIN', username: 'user', password: 'pass' }) as {
      config: object
    }
    const connector = startConnector('json')
    await expect(connector.call({ validate: { config, bindings: [] } })).rejects.toThrow(
      /^The connector ended with 1: Could not connect to bootstrap server .*certificate/,
    )
  })

  test('reports credentials that are refused, without the password', { timeout: 120_000 }, async () => {
    const { config } = materialization('any', { mechanism: 'PLAIN', username: 'user', password: 'hunter2' }) as {
      config: object
    }
    const connector = startConnector('json', TRUSTED)
    await expect(connector.call({ validate: { config, bindings: [] } })).rejects.toThrow(
      /^The connector ended with 1: Could not connect to bootstrap server /,
    )
    const { logs } = await connector.ended
    expect(JSON.stringify(logs)).not.toContain('hunter2')
    expect(logs.at(-1)).toMatchObject({ level: 'ERROR', code: 'AUTHENTICATION_FAILED' })
  })
})
