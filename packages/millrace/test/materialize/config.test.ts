import { describe, expect, test } from 'vitest'
import { parseEndpointConfig, parseResource } from '../../src/materialize/config.ts'

const CONFIG = {
  bootstrap_servers: 'a:1,b:2',
  message_format: 'JSON',
  topic_partitions: 3,
  topic_replication_factor: 1,
}
const CREDENTIALS = { auth_type: 'user_password', mechanism: 'PLAIN', username: 'u', password: 'secret' }

describe('the endpoint configuration', () => {
  test('needs no more than what the process needs', () => {
    expect(parseEndpointConfig(CONFIG)).toEqual({
      bootstrapServers: 'a:1,b:2',
      credentials: undefined,
      tls: false,
      messageFormat: 'JSON',
      compression: 'lz4',
      schemaRegistry: undefined,
      topicPartitions: 3,
      topicReplicationFactor: 1,
    })
  })

  test('may have everything, null for what is absent, and keys that are not known', () => {
    const registry = { endpoint: 'http://r', username: 'u', password: 'p', schema_registry_type: 'confluent' }
    expect(
      parseEndpointConfig({
        ...CONFIG,
        credentials: CREDENTIALS,
        tls: 'system_certificates',
        compression: 'zstd',
        schema_registry: registry,
        more: 1,
      }),
    ).toMatchObject({
      credentials: { mechanism: 'PLAIN', username: 'u', password: 'secret' },
      tls: true,
      compression: 'zstd',
      schemaRegistry: { endpoint: 'http://r', username: 'u', password: 'p' },
    })
    expect(parseEndpointConfig({ ...CONFIG, credentials: null, tls: null })).toMatchObject({
      credentials: undefined,
      tls: false,
    })
  })

  test.each([
    { change: { bootstrap_servers: undefined }, problem: 'missing field `bootstrap_servers`' },
    { change: { message_format: undefined }, problem: 'missing field `message_format`' },
    {
      change: { message_format: 'json' },
      problem: 'message_format: unknown variant `json`, expected `Avro` or `JSON`',
    },
    { change: { topic_partitions: undefined }, problem: 'missing field `topic_partitions`' },
    { change: { topic_partitions: '3' }, problem: 'topic_partitions: invalid type: string, expected i32' },
    {
      change: { topic_partitions: 2 ** 31 },
      problem: 'topic_partitions: invalid value: integer `2147483648`, expected i32',
    },
    { change: { topic_replication_factor: 1.5 }, problem: 'invalid type: floating point, expected i32' },
    {
      change: { compression: 'brotli' },
      problem: 'compression: unknown variant `brotli`, expected one of `none`, `gzip`',
    },
    { change: { tls: 'none' }, problem: 'tls: unknown variant `none`, expected `system_certificates`' },
    {
      change: { credentials: {} },
      problem: 'credentials: missing field `auth_type`; credentials: missing field `mechanism`',
    },
    {
      change: { credentials: { ...CREDENTIALS, auth_type: 'UserPassword' } },
      problem: 'credentials.auth_type: unknown variant `UserPassword`',
    },
    {
      change: { credentials: { ...CREDENTIALS, password: 5 } },
      problem: 'credentials.password: invalid type: integer, expected a string',
    },
    { change: { credentials: 'secret' }, problem: 'credentials: invalid type: string, expected an object' },
  ])('is refused: $problem', ({ change, problem }) => {
    expect(() => parseEndpointConfig({ ...CONFIG, ...change })).toThrow(problem)
  })

  test('never appears in a message with a secret of its own', () => {
    const bad = { credentials: { ...CREDENTIALS, password: ['hunter2'], username: { hunter2: 1 } } }
    expect(() => parseEndpointConfig({ ...CONFIG, ...bad })).toThrow(expect.not.stringContaining('hunter2') as string)
  })
})

describe('the resource configuration', () => {
  test('names a topic, whatever the runtime adds', () => {
    expect(parseResource({ _meta: { path: ['orders'] }, topic: 'orders' })).toBe('orders')
  })

  test.each([{}, { topic: 1 }, null, []])('is refused without one: %j', (value) => {
    expect(() => parseResource(value)).toThrow(/Cannot use the resource configuration of a binding: .*(?:topic|object)/)
  })
})
