import { expect, test } from 'vitest'
import { startBroker } from '../../../src/broker/index.ts'
import { KafkaSource } from '../../../src/index.ts'

// It said goodbye once, to the broker that had been the coordinator: its partitions were read by nothing until its session ended, after 45 s.
test.each([
  { groupProtocol: 'classic', api: 'LeaveGroup', answer: 'NOT_COORDINATOR' },
  { groupProtocol: 'classic', api: 'LeaveGroup', answer: 'COORDINATOR_LOAD_IN_PROGRESS' },
  { groupProtocol: 'consumer', api: 'ConsumerGroupHeartbeat', answer: 'NOT_COORDINATOR' },
] as const)(
  'a member of the $groupProtocol protocol leaves although a broker answers $answer',
  async ({ groupProtocol, api, answer }) => {
    await using broker = await startBroker({ topics: { orders: 1 } })
    const { bootstrapServers } = broker
    const source = new KafkaSource({ bootstrapServers, topics: 'orders', groupId: 'g', groupProtocol })
    await source.open()
    await expect.poll(() => source.assignment()).toHaveLength(1)
    expect(broker.groups()[0]!.members).toHaveLength(1)
    broker.on(api).times(3).fail(answer) // of which a heartbeat may take one
    await source.close()
    expect(broker.groups()[0]?.members ?? []).toEqual([])
  },
)

// It had joined, and was given partitions, but did not know: so it did not leave.
test('a member of the consumer protocol leaves although it never learned that it had joined', async () => {
  await using broker = await startBroker({ topics: { orders: 1 } })
  const { bootstrapServers } = broker
  const source = new KafkaSource({ bootstrapServers, topics: 'orders', groupId: 'g', groupProtocol: 'consumer' })
  broker.on('ConsumerGroupHeartbeat').dropAnswer()
  const opening = source.open().catch(() => {})
  await expect.poll(() => broker.groups()[0]?.members.length).toBe(1)
  await source.close()
  await opening
  expect(broker.groups()[0]?.members ?? []).toEqual([])
})
