import { describe, expect, test } from 'vitest'
import { KafkaSource } from '../../../src/index.ts'
import { brokerAvailable, proxiedBroker, uniqueName } from '../../support/broker.ts'
import { topicBed } from '../../support/topics.ts'

// A member whose connection hung while it joined waited for the group until max.poll.interval.ms was over, and the group for it.
describe.skipIf(!brokerAvailable)('a group member whose connection hangs while it joins', () => {
  const kafka = proxiedBroker()
  const bed = topicBed(() => kafka().kafka.bootstrapServers)

  test.for([
    { what: 'the answer to JoinGroup', api: 'JoinGroup' },
    { what: 'the answer to SyncGroup', api: 'SyncGroup' },
  ] as const)('reads soon when $what is lost', async ({ api }) => {
    const topic = await bed().create()
    await bed().write(topic, [{ value: 'there' }])
    await using source = new KafkaSource({
      bootstrapServers: kafka().bootstrapServers,
      topics: topic,
      groupId: uniqueName('group'),
      'auto.offset.reset': 'earliest',
      'session.timeout.ms': 6000,
      'request.timeout.ms': 1000,
    })
    let lost = false
    const losing = kafka()
      .proxies[0]!.loseAnswer(api, 'silence')
      .then(() => (lost = true))
    const began = performance.now()
    for await (const { value } of source) {
      expect(String(value)).toBe('there')
      break
    }
    await losing
    expect(lost).toBe(true)
    // max.poll.interval.ms is five minutes.
    expect(performance.now() - began).toBeLessThan(60_000)
  })
})
