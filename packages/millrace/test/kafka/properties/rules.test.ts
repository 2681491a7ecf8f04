import { describe, expect, test } from 'vitest'
import { CONSUMER_FIELDS } from '../../../src/kafka/properties/consumer-fields.ts'
import { PRODUCER_FIELDS } from '../../../src/kafka/properties/producer-fields.ts'
import { CONSUMER_RULES, PRODUCER_RULES } from '../../../src/kafka/properties/rules.ts'
import { producerSettings } from '../../../src/kafka/properties/settings.ts'
import { parseOptions } from '../../../src/options/parse.ts'

const BROKERS = { bootstrapServers: 'localhost:9092' }

function consumer(input: object): { problems: string[] } {
  const { problems } = parseOptions({ options: CONSUMER_FIELDS, rules: CONSUMER_RULES }, { ...BROKERS, ...input })
  return { problems: problems.map(({ message }) => message) }
}

function producer(input: object): {
  problems: string[]
  warnings: string[]
  settings: ReturnType<typeof producerSettings> | undefined
} {
  const { options, problems, warnings } = parseOptions(
    { options: PRODUCER_FIELDS, rules: PRODUCER_RULES },
    { ...BROKERS, ...input },
  )
  return {
    problems: problems.map(({ message }) => message),
    warnings: warnings.map(({ message }) => message),
    settings: problems.length === 0 ? producerSettings(options) : undefined,
  }
}

describe('rules of producers', () => {
  test.each([
    { name: 'idempotence with acks all', options: { 'enable.idempotence': true, acks: 'all' } },
    {
      name: 'idempotence with acks 1',
      options: { 'enable.idempotence': true, acks: 1 },
      problem: 'enable.idempotence requires acks "all"',
    },
    { name: 'idempotence with acks 0', options: { 'enable.idempotence': true, acks: 0 }, problem: 'acks is "0"' },
    { name: 'no idempotence with acks 1', options: { 'enable.idempotence': false, acks: 1 } },
    {
      name: 'six in flight with idempotence',
      options: { 'enable.idempotence': true, 'max.in.flight.requests.per.connection': 6 },
      problem: 'a broker remembers only the last 5 batches',
    },
    {
      name: 'six in flight without idempotence',
      options: { 'enable.idempotence': false, 'max.in.flight.requests.per.connection': 6 },
    },
    {
      name: 'a delivery timeout shorter than one request',
      options: { 'delivery.timeout.ms': 10_000 },
      problem: 'must be at least linger.ms + request.timeout.ms (30005)',
    },
    { name: 'transactions', options: { 'transactional.id': 'x' } },
    {
      name: 'transactions with acks leader',
      options: { 'transactional.id': 'x', acks: 1 },
      problem: 'transactional.id requires acks "all"',
    },
    {
      name: 'transactions without idempotence',
      options: { 'transactional.id': 'x', 'enable.idempotence': false },
      problem: 'transactional.id requires acks "all"',
    },
    { name: 'the default level of gzip', options: { 'compression.gzip.level': -1 } },
    { name: 'gzip level 0', options: { 'compression.gzip.level': 0 }, problem: 'between 1 and 9, or -1' },
  ])('$name', ({ options, problem }) => {
    expect(producer(options).problems).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)])
  })

  test('uses five requests in flight where idempotence was not asked for, and says so', () => {
    const { settings, warnings } = producer({ 'max.in.flight.requests.per.connection': 10 })
    expect(settings?.producer.maxInFlight).toBe(5)
    expect(warnings).toEqual([expect.stringContaining('so 5 is used')])
  })
})

describe('what acknowledgements do not promise is a warning', () => {
  test.each<{ options: object; says: string[] }>([
    { options: {}, says: [] },
    { options: { acks: 'all', 'enable.idempotence': true }, says: [] },
    { options: { acks: 1 }, says: ['are lost if the leader fails', 'may be written twice'] },
    { options: { acks: 0 }, says: ['can be lost without any error', 'may be written twice'] },
    { options: { 'enable.idempotence': false }, says: ['may be written twice'] },
  ])('$options', ({ options, says }) => {
    const { problems, warnings } = producer(options)
    expect(problems).toEqual([])
    expect(warnings).toHaveLength(says.length === 0 ? 0 : 1)
    for (const text of says) expect(warnings[0]).toContain(text)
  })
})

describe('rules of consumers', () => {
  // Fetch requests hold 32 bits: 3 GiB passed as an option, and then no request could be written.
  test.each(['max.partition.fetch.bytes', 'fetch.max.bytes', 'fetch.min.bytes'])('%s of 3 GiB', (name) => {
    expect(consumer({ [name]: '3GiB' }).problems).toEqual([expect.stringContaining('2147483647')])
    expect(consumer({ [name]: 0x7fffffff }).problems).toEqual([])
  })

  test.each([
    {
      name: 'heartbeats slower than the session',
      options: { 'heartbeat.interval.ms': 6000, 'session.timeout.ms': 6000 },
      problem: 'must be less than session.timeout.ms (6000)',
    },
    {
      name: 'a fetch that waits longer than a request may take',
      options: { 'fetch.max.wait.ms': 30_000 },
      problem: 'must be less than request.timeout.ms (30000)',
    },
    {
      name: 'a server assignor with the classic protocol',
      options: { 'group.remote.assignor': 'uniform' },
      problem: 'requires group.protocol consumer',
    },
    {
      name: 'a session timeout with the protocol of KIP-848',
      options: { 'group.protocol': 'CONSUMER', 'session.timeout.ms': 6000 },
      problem: 'the broker decides this',
    },
    { name: 'a static member without a group', options: { 'group.instance.id': 'a' }, problem: 'requires group.id' },
    { name: 'a static member', options: { 'group.instance.id': 'a', groupId: 'g' } },
    { name: 'the protocol of KIP-848', options: { 'group.protocol': 'consumer', 'group.remote.assignor': 'range' } },
  ])('$name', ({ options, problem }) => {
    expect(consumer(options).problems).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)])
  })
})
