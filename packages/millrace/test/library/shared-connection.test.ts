import { expect, test } from 'vitest'
import { SharedConnection } from '../../src/library/shared-connection.ts'
import { consumerSettings } from '../../src/kafka/properties/settings.ts'
import { CONSUMER_FIELDS } from '../../src/kafka/properties/consumer-fields.ts'
import { TO_CHANNELS } from '../../src/metrics/channels.ts'
import { parseOptions } from '../../src/options/parse.ts'
import { untilAborted } from '../../src/resilience/abort.ts'

// Nothing listens there, and nothing connects: `open` is what would.
const { cluster: settings } = consumerSettings(
  parseOptions({ options: CONSUMER_FIELDS }, { bootstrapServers: '127.0.0.1:1' }).options,
)

test('opens once for all callers', async () => {
  let count = 0
  const connection = new SharedConnection('a KafkaSource', settings, TO_CHANNELS, async () => ++count)
  expect(connection.opened).toBeUndefined()
  expect(await Promise.all([connection.get(undefined), connection.get(undefined)])).toEqual([1, 1])
  expect(await connection.opened).toBe(1)
})

test('opens again with the next call after a failure', async () => {
  let count = 0
  const connection = new SharedConnection('a KafkaSource', settings, TO_CHANNELS, async () => {
    if (++count === 1) throw new Error('down')
    return count
  })
  await expect(connection.get(undefined)).rejects.toThrow('down')
  expect(connection.opened).toBeUndefined()
  expect(await connection.get(undefined)).toBe(2)
})

test('continues to open for the others when one caller stops waiting', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const connection = new SharedConnection('a KafkaSource', settings, TO_CHANNELS, () => promise)
  const controller = new AbortController()
  const [impatient, patient] = [connection.get(controller.signal), connection.get(undefined)]
  controller.abort()
  await expect(impatient).rejects.toMatchObject({ code: 'ABORTED' })
  resolve('open')
  expect(await patient).toBe('open')
})

test('releases what was opened once, however often it is closed, and refuses every later call', async () => {
  const released: string[] = []
  const connection = new SharedConnection('a KafkaSink', settings, TO_CHANNELS, async () => 'open')
  await connection.get(undefined)
  const release = async (opened: string): Promise<void> => void released.push(opened)
  await Promise.all([connection.close(release), connection.close(release)])
  expect(released).toEqual(['open'])
  expect(connection.closing.aborted).toBe(true)
  await expect(connection.get(undefined)).rejects.toMatchObject({ code: 'CLOSED' })
})

test('closes although nothing was opened, or opening fails', async () => {
  const never = async (): Promise<void> => expect.unreachable()
  await new SharedConnection('a KafkaSink', settings, TO_CHANNELS, async () => 'open').close(never)
  const failing = new SharedConnection('a KafkaSink', settings, TO_CHANNELS, (_, signal) =>
    untilAborted(new Promise<string>(() => {}), 'Connecting', signal),
  )
  const opening = failing.get(undefined)
  failing.stop()
  await failing.close(never)
  await expect(opening).rejects.toMatchObject({ code: 'ABORTED' })
})
