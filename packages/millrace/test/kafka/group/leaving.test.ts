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
