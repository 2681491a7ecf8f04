import { expect, test } from 'vitest'
import { KafkaSource } from '../../src/library/kafka-source.ts'

test.each([
  { name: 'a strategy with a group', options: { groupId: 'g', commit: { strategy: 'each_batch' } } },
  { name: 'an interval of periodic', options: { groupId: 'g', commit: { strategy: 'periodic', interval: 100 } } },
  {
    name: 'a strategy without a group',
    options: { commit: { strategy: 'each_batch' } },
    problem: /commit requires a groupId/,
  },
  {
    name: 'an interval that has no effect',
    options: { groupId: 'g', commit: { strategy: 'manual', interval: 100 } },
    problem: /commit has an interval, which the strategy "manual" does not use/,
  },
  {
    name: 'a format that only pipelines know',
    options: { 'value.deserializer': 'org.apache.kafka.common.serialization.LongDeserializer' },
    problem: /Cannot use LongDeserializer in a program/,
  },
  { name: 'bytes', options: { valueDeserializer: 'ByteArrayDeserializer' } },
  { name: 'a topic that no broker can have', options: { topics: 'a b' }, problem: /"topics".*name of a topic/ },
])('the options of a source: $name', ({ options, problem }) => {
  const create = (): KafkaSource =>
    new KafkaSource({ bootstrapServers: 'localhost:9092', topics: 'orders', ...options } as never)
  if (problem === undefined) expect(create).not.toThrow()
  else expect(create).toThrow(problem)
})
