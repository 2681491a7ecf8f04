import { readFileSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { classArchive } from '../../../../test-bed/java.ts'
import {
  bootstrapServers,
  brokerAvailable,
  javaAvailable,
  javaTool,
  type KafkaBroker,
  ownBroker,
  threeBrokers,
  uniqueName,
} from '../support/broker.ts'

async function createTopic(servers: string, topic: string): Promise<void> {
  await javaTool('org.apache.kafka.tools.TopicCommand', ['--bootstrap-server', servers, '--create', '--topic', topic])
}

async function write(servers: string, topic: string, text: string): Promise<void> {
  await javaTool('org.apache.kafka.tools.ConsoleProducer', ['--bootstrap-server', servers, '--topic', topic], {
    stdin: text,
  })
}

async function read(servers: string, topic: string, records: number): Promise<string> {
  const { stdout } = await javaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    '--bootstrap-server',
    servers,
    '--topic',
    topic,
    '--from-beginning',
    '--max-messages',
    String(records),
    '--timeout-ms',
    '30000',
  ])
  return stdout
}

describe.skipIf(!brokerAvailable || !javaAvailable)('shared broker', () => {
  test("serves Kafka's own console tools", async () => {
    const topic = uniqueName('test-bed')
    await createTopic(bootstrapServers(), topic)
    await write(bootstrapServers(), topic, 'one\ntwo\n')
    expect(await read(bootstrapServers(), topic, 2)).toBe('one\ntwo\n')
  })

  test('fails a tool that ends with an error, with what it said', async () => {
    const result = javaTool('org.apache.kafka.tools.TopicCommand', ['--no-such-option'])
    await expect(result).rejects.toThrow(/no-such-option/)
  })
})

describe.skipIf(!javaAvailable)('broker of its own', () => {
  const kafka = ownBroker({ 'message.max.bytes': 1000 })

  // Without the archive a broker takes twice the processor time to start, and no test would notice.
  test.skipIf(process.platform !== 'linux')('starts with the recorded classes', async () => {
    expect(statSync(await classArchive()).size).toBeGreaterThan(10 << 20)
    const maps = readFileSync(`/proc/${kafka().brokers[0]!.pid}/maps`, 'utf8')
    expect(maps).toContain(await classArchive())
  })

  test('comes back on the same port with the same data after being killed', async () => {
    const { bootstrapServers: servers, brokers } = kafka()
    const topic = uniqueName('test-bed')
    await createTopic(servers, topic)
    await write(servers, topic, 'kept\n')
    const broker = only(brokers)
    const before = broker.pid
    await broker.kill()
    expect(broker.isRunning()).toBe(false)
    await broker.restart()
    expect(broker.pid).not.toBe(before)
    expect(await read(servers, topic, 1)).toBe('kept\n')
  })

  test('answers again after a pause', async () => {
    const { bootstrapServers: servers, brokers } = kafka()
    const broker = only(brokers)
    broker.pause()
    const topic = uniqueName('test-bed')
    const created = createTopic(servers, topic)
    broker.resume()
    await created
  })
})

describe.skipIf(!javaAvailable)('three brokers', () => {
  const kafka = threeBrokers()

  test('serve on when one is gone', async () => {
    const { bootstrapServers: servers, brokers } = kafka()
    expect(brokers).toHaveLength(3)
    const topic = uniqueName('test-bed')
    await createTopic(servers, topic)
    await brokers[0]?.kill()
    await write(servers, topic, 'still here\n')
    expect(await read(servers, topic, 1)).toBe('still here\n')
    await brokers[0]?.restart()
  })
})

function only(brokers: readonly KafkaBroker[]): KafkaBroker {
  const [broker] = brokers
  if (broker === undefined) throw new Error('There is no broker')
  return broker
}
