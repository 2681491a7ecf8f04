import { describe, expect, test } from 'vitest'
import { NO_ENDPOINTS } from '../../src/contracts/definitions.ts'
import { letterLoop, sharedTopic, sharesCluster } from '../../src/dialects/loops.ts'
import { kafkaEndpoints } from '../../src/kafka/properties/endpoints.ts'

function at(topic: string | readonly string[], ...bootstrapServers: string[]): ReturnType<typeof kafkaEndpoints> {
  return kafkaEndpoints({ topic, bootstrapServers })
}

describe('a loop', () => {
  const source = at(['a', 'b'], 'k1:9092', 'k2:9092')

  test.each([
    { name: 'a topic that is read, at a broker that both name', sink: at('b', 'k2:9092', 'k3:9092'), shared: 'b' },
    { name: 'another topic', sink: at('c', 'k1:9092'), shared: undefined },
    { name: 'the same topic of another cluster', sink: at('a', 'other:9092'), shared: undefined },
    { name: 'a sink that is no topic', sink: NO_ENDPOINTS, shared: undefined },
    { name: 'a name that was refused', sink: at('', 'k1:9092'), shared: undefined },
  ])('needs a shared topic: $name', ({ sink, shared }) => {
    expect(sharedTopic(sink, source)).toBe(shared)
  })

  test('of dead letters says what to do', () => {
    expect(letterLoop(source, at('a', 'k1:9092'))).toEqual({
      message: 'Cannot write dead letters to topic "a" as the pipeline reads it: each letter would fail again',
      suggestion: 'use another topic',
    })
    expect(letterLoop(source, at('dead', 'k1:9092'))).toBeUndefined()
  })
})

test('components that work on no cluster share none, not even with one another', () => {
  expect(sharesCluster(NO_ENDPOINTS, NO_ENDPOINTS)).toBe(false)
})

test('endpoints can be asked of options that could not all be read', () => {
  expect(kafkaEndpoints({})).toEqual({ topics: [], brokers: [], joinsTransactions: true })
})
