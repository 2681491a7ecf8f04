/**
 * Sessions that end: clients authenticate again before that (KIP-368), and no request fails.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { KafkaSink, KafkaSource } from '../../../src/index.ts'
import { BrokerConnection } from '../../../src/kafka/cluster/connection.ts'
import { METADATA, metadataOf } from '../../../src/kafka/protocol/metadata.ts'
import { openMechanism } from '../../../src/kafka/security/mechanism.ts'
import type { SaslSettings } from '../../../src/kafka/security/settings.ts'
import { javaAvailable } from '../../support/broker.ts'
import { listenerBroker, SHORT_SESSION_MS } from '../../support/listeners.ts'
import { CLIENT } from '../../support/token-server.ts'
import { topicBed } from '../../support/topics.ts'

describe.skipIf(!javaAvailable)('a broker with sessions that end', () => {
  const broker = listenerBroker()
  const bed = topicBed(() => broker().address('PLAINTEXT'))

  // Clients have a tenth of the session to authenticate again, as long as this process gets its turn.
  test.concurrent.each<{ name: string; settings: () => SaslSettings; sessionMs: number }>([
    {
      name: 'PLAIN',
      settings: () => ({ mechanism: 'PLAIN', username: 'user', password: 'pass' }),
      sessionMs: SHORT_SESSION_MS,
    },
    {
      name: 'SCRAM-SHA-512',
      settings: () => ({ mechanism: 'SCRAM-SHA-512', username: 'bob', password: 'bob-secret' }),
      sessionMs: SHORT_SESSION_MS,
    },
    {
      name: 'OAUTHBEARER with tokens that live 8 s',
      settings: () => ({
        mechanism: 'OAUTHBEARER',
        tokens: { from: 'function', provider: () => ({ token: broker().tokens.token({}, 8) }) },
        extensions: {},
      }),
      sessionMs: 8000,
    },
  ])(
    '$name: a connection outlives its session without a failed request',
    { retry: 2 },
    async ({ settings, sessionMs }) => {
      const signal = new AbortController().signal
      const sasl = await openMechanism(settings(), { timeoutMs: 30_000, environment: {} })
      const [host = '', port = ''] = broker().address('SHORT').split(':')
      const connection = await BrokerConnection.open(host, Number(port), {
        clientId: 'test',
        connectTimeoutMs: 30_000,
        signal,
        sasl,
      })
      let answers = 0
      const end = performance.now() + 2.5 * sessionMs
      // Several under way at any time, as producers have them.
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          while (performance.now() < end) {
            await connection.send(METADATA, 12, metadataOf([]), { timeoutMs: 30_000 })
            answers++
            await wait(2)
          }
        }),
      )
      expect(connection.isOpen).toBe(true)
      expect(answers).toBeGreaterThan(100)
      await connection.close()
    },
  )

  test.concurrent('a producer and a consumer run on while tokens that live 10 s come and go', async () => {
    const { tokens } = broker()
    tokens.lifetimeSeconds = 10
    const topic = await bed().create({ partitions: 3 })
    const warnings: string[] = []
    const secured = {
      bootstrapServers: broker().address('SHORT'),
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'OAUTHBEARER',
      oauthTokenEndpoint: tokens.url,
      oauthClientId: CLIENT.id,
      oauthClientSecret: CLIENT.secret,
      onWarning: (message: string) => warnings.push(message),
    } as const
    const asked = tokens.requests.length
    await using sink = new KafkaSink({ ...secured, topic })
    await using source = new KafkaSource({
      ...secured,
      topics: topic,
      groupId: `group-${topic}`,
      autoCommitIntervalMs: 500,
    })
    let read = 0
    const stop = new AbortController()
    const reading = (async () => {
      for await (const batch of source.batches(stop.signal)) {
        read += batch.length
        batch.ack()
      }
    })()
    let written = 0
    for (const end = performance.now() + 30_000; performance.now() < end;) {
      const { failures } = await sink.write([{ key: String(written), value: `${written}` }])
      expect([...failures.values()]).toEqual([])
      written++
    }
    await vi.waitFor(() => expect(read).toBe(written), { timeout: 60_000 })
    stop.abort()
    await reading
    expect(warnings.filter((text) => !text.includes('SASL_PLAINTEXT'))).toEqual([])
    // Each of the two has a token for all its connections: three or four lives, not one for every connection.
    expect(tokens.requests.length - asked).toBeGreaterThanOrEqual(6)
    expect(tokens.requests.length - asked).toBeLessThan(16)
  })

  test.concurrent('a connection whose next token is refused is replaced, and the error says why', async () => {
    let isWelcome = true
    await using sink = new KafkaSink({
      bootstrapServers: broker().address('SHORT'),
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'OAUTHBEARER',
      oauthToken: () => ({ token: broker().tokens.token(isWelcome ? {} : { aud: 'somebody-else' }, 3) }),
      topic: await bed().create(),
    })
    const first = await sink.write([{ key: null, value: '1' }])
    expect(first.failures.size).toBe(0)
    isWelcome = false
    const failure = await (async () => {
      for (;;) {
        const { failures } = await sink.write([{ key: null, value: '2' }])
        if (failures.size > 0) return failures.values().next().value
        await wait(50)
      }
    })().catch((error: unknown) => error)
    const texts: string[] = []
    for (let error: unknown = failure; error instanceof Error; error = error.cause) texts.push(error.message)
    expect(texts.join('\n')).toMatch(/refused the credentials: .*invalid_token/)
  })
})
