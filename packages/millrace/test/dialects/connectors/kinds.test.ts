import { describe, expect, test } from 'vitest'
import { CONNECTORS, kindOf, namesOf } from '../../../src/dialects/connectors/kinds.ts'
import { readConnectors } from '../../../src/dialects/connectors/index.ts'

describe('the kind of a connector that is a file of its own', () => {
  test.each(namesOf('source').filter((name) => !namesOf('sink').includes(name)))('%s can only be a source', (type) => {
    expect(kindOf({ type, topics: ['t'] })).toBe('source')
  })

  test.each(namesOf('sink').filter((name) => !namesOf('source').includes(name)))(
    '%s can only be a sink',
    (connector) => {
      expect(kindOf({ connector, topic: 't' })).toBe('sink')
    },
  )

  test.each([
    { name: 'topics, which only sinks have', entry: { type: 'file', topics: ['t'] }, kind: 'sink' },
    { name: 'a group, which only sinks have', entry: { type: 'kafka', consumer_group: 'g' }, kind: 'sink' },
    { name: 'topic_config, which only sources have', entry: { type: 'kafka', topic_config: {} }, kind: 'source' },
    {
      name: 'an option of the file sink',
      entry: { type: 'file', config: { path: 'x', mode: 'append' } },
      kind: 'sink',
    },
    { name: 'an option of the file source', entry: { type: 'file', config: { maxLineBytes: 9 } }, kind: 'source' },
    { name: 'an option of the Kafka sink', entry: { type: 'kafka', config: { acks: 'all' } }, kind: 'sink' },
    { name: 'a topic', entry: { type: 'file', topic: 't', config: { path: 'x' } }, kind: 'source' },
    { name: 'a name that is nearly right', entry: { type: 'kafka-snik', topic: 't' }, kind: 'sink' },
    { name: 'nothing', entry: { type: 'file', config: { path: 'x' } }, kind: undefined },
    { name: 'options of both', entry: { type: 'file', topics: ['t'], topic_config: {} }, kind: undefined },
    { name: 'a name that is unknown', entry: { type: 'ftp', config: {} }, kind: undefined },
  ])('follows from $name', ({ entry, kind }) => {
    expect(kindOf(entry)).toBe(kind)
  })
})

describe('a single connector', () => {
  const problemsOf = (entry: object): readonly string[] =>
    readConnectors(
      { broker: { bootstrap_servers: 'k:9092' }, ...entry },
      { file: 'f', directory: '.', name: 'f' },
    ).problems.map(({ path, message }) => `${path}: ${message}`)

  test('of a file sink without topics reports what a sink lacks', () => {
    expect(problemsOf({ type: 'file', config: { path: 'out.jsonl', mode: 'append' } })).toEqual([
      ': Missing option "topics"',
      ': Missing option "consumer_group"',
    ])
  })

  test('that may be either has to say which it is', () => {
    expect(problemsOf({ type: 'file', config: { path: 'x' } })).toEqual([
      'type: Cannot decide whether connector "file" is a source or a sink',
    ])
  })

  test('of an unknown name reports which there are', () => {
    expect(problemsOf({ connector: 'ftp', config: {} })).toEqual(['connector: Unknown connector "ftp"'])
  })
})

test('every connector is listed under one name only', () => {
  for (const kind of ['source', 'sink'] as const) {
    const names = CONNECTORS[kind].flatMap((connector) => connector.names)
    expect(new Set(names).size).toBe(names.length)
  }
})
