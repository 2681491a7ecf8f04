import { describe, expect, test } from 'vitest'
import { readLinear } from '../../src/dialects/linear/index.ts'

const from = { type: 'kafka', topic: 'a', bootstrapServers: 'k:9092' }
const to = { type: 'kafka', topic: 'b', bootstrapServers: 'k:9092' }

function read(content: object): ReturnType<typeof readLinear> {
  return readLinear({ source: from, sink: to, ...content }, { file: 'x.yaml', directory: '/', name: 'x' })
}

describe('delivery', () => {
  test.each([
    { name: 'exactly once with the defaults', content: { delivery: 'exactly_once' } },
    { name: 'another spelling', content: { delivery: 'exactlyOnce' } },
    { name: 'acks all in so many words', content: { delivery: 'exactly_once', sink: { ...to, acks: 'all' } } },
    {
      name: 'acks leader',
      content: { delivery: 'exactly_once', sink: { ...to, acks: 1 } },
      problem: ['sink.acks', 'with acks "1"'],
    },
    {
      name: 'acks leader under options',
      content: {
        delivery: 'exactly_once',
        sink: { type: 'kafka', options: { topic: 'b', bootstrapServers: 'k:9092', acks: '1' } },
      },
      problem: ['sink.options.acks', 'with acks "1"'],
    },
    {
      name: 'no idempotence',
      content: { delivery: 'exactly_once', sink: { ...to, 'enable.idempotence': false } },
      problem: ['sink.enable.idempotence', 'without enable.idempotence'],
    },
    {
      name: 'uncommitted input',
      content: { delivery: 'exactly_once', source: { ...from, 'isolation.level': 'read_uncommitted' } },
      problem: ['source.isolation.level', 'read_uncommitted'],
    },
    {
      name: 'a file to write',
      content: { delivery: 'exactly_once', sink: { type: 'file', path: 'x' } },
      problem: ['sink.type', 'sink "file"'],
    },
    {
      name: 'a file to read',
      content: { delivery: 'exactly_once', source: { type: 'file', path: 'x' } },
      problem: ['source.type', 'source "file"'],
    },
    {
      name: 'another cluster',
      content: { delivery: 'exactly_once', sink: { ...to, bootstrapServers: 'other:9092' } },
      problem: ['sink.bootstrapServers', 'from one cluster to another'],
    },
    {
      name: 'dead letters in a topic',
      content: { delivery: 'exactly_once', errorPolicy: { type: 'deadLetter', deadLetter: { topic: 'dead' } } },
    },
    {
      name: 'dead letters in a file',
      content: { delivery: 'exactly_once', errorPolicy: { type: 'deadLetter', deadLetter: { path: 'dead.jsonl' } } },
      problem: ['errorPolicy.deadLetter', 'cannot be part of the transaction'],
    },
    { name: 'commits as often as transactions allow', content: { delivery: 'exactly_once', commitInterval: 'PT5S' } },
    {
      name: 'commits that come too late for a transaction',
      content: { delivery: 'exactly_once', commitInterval: 'PT6S' },
      problem: ['sink', 'abort a transaction after 10 s'],
    },
    {
      name: 'rare commits with a transaction timeout',
      content: { delivery: 'exactly_once', commitInterval: 'PT2M', sink: { ...to, 'transaction.timeout.ms': 300_000 } },
    },
    {
      name: 'rare commits with a name that has 60 s',
      content: { delivery: 'exactly_once', commitInterval: 'PT30S', sink: { ...to, 'transactional.id': 't' } },
    },
    {
      name: 'a transactional id at least once',
      content: { sink: { ...to, acks: 'all', 'transactional.id': 't' } },
      problem: ['sink.transactional.id', 'requires delivery exactly_once'],
    },
    { name: 'at most once without acknowledgements', content: { delivery: 'at_most_once', sink: { ...to, acks: 0 } } },
    {
      name: 'at most once from a file',
      content: { delivery: 'at_most_once', source: { type: 'file', path: 'x' } },
      problem: ['source.type', 'no offsets to commit'],
    },
  ])('$name', ({ content, problem }) => {
    const { problems } = read(content)
    expect(problems.map(({ path, message }) => [path, message])).toEqual(
      problem === undefined ? [] : [[problem[0], expect.stringContaining(problem[1]!)]],
    )
  })

  test('changes defaults: committed records are read; all replicas are asked anyway', () => {
    const { plan } = read({ delivery: 'exactly_once', commitInterval: 'PT0.5S' })
    expect(plan).toMatchObject({
      delivery: 'exactly_once',
      commitIntervalMs: 500,
      source: { options: { isolation: 'read_committed' } },
      sink: { options: { acks: 'all' } },
    })
    expect(read({}).plan).toMatchObject({
      delivery: 'at_least_once',
      source: { options: { isolation: 'read_uncommitted' } },
      sink: { options: { acks: 'all' } },
    })
  })
})
