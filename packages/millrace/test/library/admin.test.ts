import { describe, expect, test } from 'vitest'
import { Admin, ClosedError, ConfigError } from '../../src/index.ts'

describe('Admin', () => {
  test('reports all problems of its options at once', () => {
    const create = (): Admin =>
      new Admin({ bootstrapServers: 'http://k1:9092', 'request.timeout.ms': 0, saslMechanism: 'PLAIN' })
    expect(create).toThrow(ConfigError)
    expect(create).toThrow(/Cannot create an Admin.*remove the scheme.*requestTimeoutMs|request\.timeout\.ms/s)
  })

  test('takes properties by Kafka’s names, and says which have no effect', () => {
    const warnings: string[] = []
    const admin = new Admin({
      bootstrapServers: 'localhost:9092',
      retries: 3,
      'default.api.timeout.ms': 5000,
      onWarning: (message) => warnings.push(message),
    })
    expect(admin).toBeInstanceOf(Admin)
    expect(warnings).toEqual([
      'Option "retries" has no effect: requests are retried until default.api.timeout.ms has passed',
    ])
  })

  test('may be closed twice, and before it was used; later calls are refused', async () => {
    const admin = new Admin({ bootstrapServers: 'localhost:9092' })
    await Promise.all([admin.close(), admin.close()])
    await expect(admin.listTopics()).rejects.toThrow(ClosedError)
    await expect(admin.open()).rejects.toThrow(ClosedError)
  })

  // A name of undefined went out as one of null, on which the broker closes the connection: "requires TLS or SASL".
  test.each([
    [
      [{ topic: 'orders', partitions: 6 }],
      'Cannot create topics: entry 1 has no name; write { name } in place of { topic }',
    ],
    [[{ name: 'a' }, { name: '' }], 'Cannot create topics: entry 2 has no name'],
    [[{ name: 'a', partitions: 0 }], 'Cannot create topics: partitions of "a" is 0; it must be a whole number from 1'],
    [[null], 'Cannot create topics: entry 1 has no name'],
    ['orders', 'Cannot create topics: expected a list of { name, partitions? }'],
  ])('refuses to create %j before it connects', async (topics, message) => {
    await using admin = new Admin({ bootstrapServers: '127.0.0.1:1' })
    await expect(admin.createTopics(topics as never)).rejects.toThrow(message)
  })

  test('refuses names that are none', async () => {
    await using admin = new Admin({ bootstrapServers: '127.0.0.1:1' })
    await expect(admin.deleteTopics('orders' as never)).rejects.toThrow('expected a list of names, got "orders"')
    await expect(admin.describeTopics(['a', undefined as never])).rejects.toThrow('name 2 of the list is undefined')
  })

  test('fails calls that are under way when it is closed', async () => {
    const admin = new Admin({ bootstrapServers: '127.0.0.1:1' })
    const listing = admin.listTopics()
    listing.catch(() => {})
    await admin.close()
    await expect(listing).rejects.toThrow(ClosedError)
  })

  test('fails when no broker can be reached, after the time for an operation', async () => {
    await using admin = new Admin({ bootstrapServers: '127.0.0.1:1', apiTimeoutMs: 300 })
    await expect(admin.listTopics()).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
    await expect(admin.open()).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
  })

  test('stops when the signal fires', async () => {
    await using admin = new Admin({ bootstrapServers: '127.0.0.1:1' })
    await expect(admin.listTopics(AbortSignal.timeout(50))).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('names a certificate file that cannot be read, and tries again with the next call', async () => {
    await using admin = new Admin({
      bootstrapServers: '127.0.0.1:1',
      securityProtocol: 'SSL',
      truststoreLocation: '/nowhere/ca.pem',
    })
    for (let i = 0; i < 2; i++) await expect(admin.listTopics()).rejects.toThrow('/nowhere/ca.pem')
  })
})
