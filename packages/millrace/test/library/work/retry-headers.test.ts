import { describe, expect, test } from 'vitest'
import { startBroker } from '../../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../../src/index.ts'
import { retryStateOf } from '../../../src/library/work/failure-policy.ts'
import { batchOf } from '../../support/batches.ts'

const headersOf = (facts: { readonly [name: string]: string | null }): [string, string | null][] =>
  Object.entries(facts).map(([name, value]) => [`__millrace.retry.${name}`, value])

const RIGHT = { topic: 'orders', partition: '2', offset: '7', attempts: '3', due: '1' }

// An offset that is no number ended the program with a SyntaxError, again after each restart; a time that is none was never reached.
describe('headers of a record in a retry topic', () => {
  const stateOf = (facts: { readonly [name: string]: string | null }): ReturnType<typeof retryStateOf> =>
    retryStateOf(batchOf([{ value: 'v', headers: headersOf(facts) }]).record(0), 5000)

  test('say where it was first, how often it was tried, and when it is due', () => {
    expect(stateOf(RIGHT)).toEqual({ origin: { topic: 'orders', partition: 2, offset: 7n }, attempts: 3, dueMs: 1 })
  })

  test.each([
    { offset: 'x' },
    { offset: '' },
    { offset: null },
    { offset: '1e3' },
    { partition: '-1' },
    { attempts: 'many' },
    { attempts: null },
    { due: 'tomorrow' },
    { due: '99999999999999999999' },
  ])('are ignored when they make no sense: %j', (wrong) => {
    expect(stateOf({ ...RIGHT, ...wrong })).toEqual({
      origin: { topic: 'orders', partition: 3, offset: 100n },
      attempts: 0,
      dueMs: 0,
    })
  })

  test('let it wait no longer than the delay of the topic', () => {
    const { dueMs } = stateOf({ ...RIGHT, due: '9999999999999999' })
    expect(dueMs).toBeGreaterThan(0)
    expect(dueMs).toBeLessThanOrEqual(Date.now() + 5000)
  })

  test('do not keep a program from handling it', async () => {
    await using broker = await startBroker({ topics: { orders: 1, 'orders.1ms': 1 } })
    const { bootstrapServers } = broker
    {
      await using sink = new KafkaSink({ bootstrapServers, topic: 'orders.1ms' })
      const wrong = [{ offset: 'x' }, { due: 'x' }, { attempts: null }]
      await sink.write(wrong.map((each, i) => ({ value: `${i}`, headers: headersOf({ ...RIGHT, ...each }) })))
    }
    await using source = new KafkaSource({
      bootstrapServers,
      topics: 'orders',
      groupId: 'g',
      autoOffsetReset: 'earliest',
      untilEnd: true,
    })
    const handled: string[] = []
    await source.process(({ value }) => void handled.push(String(value)), { retry: { topics: ['orders.1ms'] } })
    expect(handled).toEqual(['0', '1', '2'])
  })
})
