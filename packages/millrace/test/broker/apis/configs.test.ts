/**
 * Settings of topics, brokers and groups. `kafka-configs` showed no synonyms and could not change brokers and groups; the
 * expected values are what Apache Kafka 4.3.1 prints.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { ERROR } from '../../../src/protocol/error-codes.ts'
import { alterConfigsApi } from '../../../src/protocol/messages/alter-configs.ts'
import { consumerGroupHeartbeatApi } from '../../../src/protocol/messages/consumer-group-heartbeat.ts'
import { describeConfigsApi } from '../../../src/protocol/messages/describe-configs.ts'
import { incrementalAlterConfigsApi } from '../../../src/protocol/messages/incremental-alter-configs.ts'
import { listConfigResourcesApi } from '../../../src/protocol/messages/list-config-resources.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

const TOPIC = 2
const BROKER = 4
const GROUP = 32
const SET = 0
const DELETE = 1

let broker: EmbeddedBroker
let client: RawClient
beforeEach(async () => {
  broker = await startBroker({ nodes: 2, topics: { orders: 1 }, groups: { heartbeatIntervalMs: 700 } })
  client = await RawClient.connect(broker.bootstrapServers.split(',')[0]!)
})
afterEach(async () => {
  client.close()
  await broker.close()
})

/** A setting as `kafka-configs` shows it: its value, and its synonyms by source. */
async function show(resourceType: number, resourceName: string, name: string) {
  const { results } = await client.request(describeConfigsApi, 4, {
    resources: [{ resourceType, resourceName, configurationKeys: [name] }],
    includeSynonyms: true,
  })
  expect(results[0]!.errorCode).toBe(0)
  const [config] = results[0]!.configs
  return config === undefined
    ? undefined
    : {
        value: config.value,
        source: config.configSource,
        synonyms: config.synonyms.map((synonym) => `${synonym.source} ${synonym.name}=${synonym.value}`),
      }
}

async function alter(resourceType: number, resourceName: string, name: string, value: string | null) {
  const configs = [{ name, configOperation: value === null ? DELETE : SET, value }]
  const { responses } = await client.request(incrementalAlterConfigsApi, 1, {
    resources: [{ resourceType, resourceName, configs }],
    validateOnly: false,
  })
  return responses[0]!.errorCode
}

describe('settings of a topic', () => {
  test('have what was set and the default of the broker as synonyms', async () => {
    await alter(TOPIC, 'orders', 'max.message.bytes', '2000000')
    expect(await show(TOPIC, 'orders', 'max.message.bytes')).toEqual({
      value: '2000000',
      source: 1,
      synonyms: ['1 max.message.bytes=2000000', '5 message.max.bytes=1048588'],
    })
    expect(await show(TOPIC, 'orders', 'retention.ms')).toEqual({
      value: '604800000',
      source: 5,
      synonyms: ['5 log.retention.hours=168'],
    })
    expect(await show(TOPIC, 'orders', 'segment.ms')).toEqual({ value: '604800000', source: 5, synonyms: [] })
  })

  test('have no synonyms when they are not asked for', async () => {
    const { results } = await client.request(describeConfigsApi, 4, {
      resources: [{ resourceType: TOPIC, resourceName: 'orders', configurationKeys: ['max.message.bytes'] }],
    })
    expect(results[0]!.configs[0]!.synonyms).toEqual([])
  })
})

describe('settings of a broker', () => {
  test('change for one node or for all, and the nearest counts', async () => {
    expect(await alter(BROKER, '', 'message.max.bytes', '3000')).toBe(ERROR.NONE)
    expect(await alter(BROKER, '0', 'message.max.bytes', '2000')).toBe(ERROR.NONE)
    expect(await show(BROKER, '0', 'message.max.bytes')).toEqual({
      value: '2000',
      source: 2,
      synonyms: ['2 message.max.bytes=2000', '3 message.max.bytes=3000', '5 message.max.bytes=1048588'],
    })
    expect(await show(BROKER, '1', 'message.max.bytes')).toMatchObject({ value: '3000', source: 3 })
    expect(await show(BROKER, '', 'message.max.bytes')).toMatchObject({ value: '3000', source: 3 })
    await alter(BROKER, '0', 'message.max.bytes', null)
    expect(await show(BROKER, '0', 'message.max.bytes')).toMatchObject({ value: '3000' })
  })

  test('are the defaults of topics', async () => {
    await alter(BROKER, '0', 'message.max.bytes', '200')
    expect(await show(TOPIC, 'orders', 'max.message.bytes')).toMatchObject({ value: '200', source: 2 })
    const write = async () => {
      const { responses } = await client.request(
        produceApi,
        12,
        produceOf({ name: 'orders' }, batchOf(['x'.repeat(300)])),
      )
      return responses[0]!.partitionResponses[0]!.errorCode
    }
    expect(await write()).toBe(ERROR.MESSAGE_TOO_LARGE)
    await alter(BROKER, '0', 'message.max.bytes', null)
    expect(await write()).toBe(ERROR.NONE)
  })

  test('that Kafka does not have are kept, and those that need a restart are refused', async () => {
    expect(await alter(BROKER, '0', 'log.cleaner.threads', '2')).toBe(ERROR.NONE)
    expect(await show(BROKER, '0', 'log.cleaner.threads')).toMatchObject({ value: '2', source: 2 })
    expect(await alter(BROKER, '0', 'num.partitions', '2')).toBe(ERROR.INVALID_REQUEST)
    expect(await alter(BROKER, '0', 'message.max.bytes', 'many')).toBe(ERROR.INVALID_REQUEST)
    expect(await alter(BROKER, '7', 'message.max.bytes', '1000')).toBe(ERROR.INVALID_REQUEST)
  })

  test('are replaced as a whole by AlterConfigs', async () => {
    await alter(BROKER, '0', 'log.cleaner.threads', '2')
    const configs = [{ name: 'message.max.bytes', value: '4000' }]
    await client.request(alterConfigsApi, 2, {
      resources: [{ resourceType: BROKER, resourceName: '0', configs }],
      validateOnly: false,
    })
    expect(await show(BROKER, '0', 'log.cleaner.threads')).toBeUndefined()
    expect(await show(BROKER, '0', 'message.max.bytes')).toMatchObject({ value: '4000' })
  })
})

describe('settings of a group', () => {
  const HEARTBEAT = 'consumer.heartbeat.interval.ms'

  /** What a new member of the group is to do. */
  async function heartbeatInterval(groupId: string): Promise<number> {
    broker.moveCoordinator({ group: groupId }, 0)
    const { heartbeatIntervalMs } = await client.request(consumerGroupHeartbeatApi, 1, {
      groupId,
      memberId: `member of ${groupId}`,
      memberEpoch: 0,
      rebalanceTimeoutMs: 1000,
      subscribedTopicNames: ['orders'],
      topicPartitions: [],
    })
    return heartbeatIntervalMs
  }

  test('are followed, and otherwise those of the broker are', async () => {
    expect(await alter(GROUP, 'slow', HEARTBEAT, '9000')).toBe(ERROR.NONE)
    expect(await show(GROUP, 'slow', HEARTBEAT)).toEqual({
      value: '9000',
      source: 8,
      synonyms: [`8 ${HEARTBEAT}=9000`, `4 group.${HEARTBEAT}=700`, `5 group.${HEARTBEAT}=5000`],
    })
    expect(await heartbeatInterval('slow')).toBe(9000)
    expect(await show(GROUP, 'other', HEARTBEAT)).toMatchObject({ value: '700', source: 4 })
    expect(await heartbeatInterval('other')).toBe(700)
  })

  test('are listed while there are some, and refused when they are not valid', async () => {
    await alter(GROUP, 'slow', HEARTBEAT, '9000')
    const listed = async () => {
      const { configResources } = await client.request(listConfigResourcesApi, 1, { resourceTypes: [GROUP] })
      return configResources.map(({ resourceName }) => resourceName)
    }
    expect(await listed()).toEqual(['slow'])
    await alter(GROUP, 'slow', HEARTBEAT, null)
    expect(await listed()).toEqual([])
    expect(await alter(GROUP, 'slow', 'no.such.setting', '1')).toBe(ERROR.INVALID_CONFIG)
    expect(await alter(GROUP, '', HEARTBEAT, '1000')).toBe(ERROR.INVALID_REQUEST)
  })
})
