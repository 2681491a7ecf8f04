import { describe, expect, test } from 'vitest'
import { BatchError, DeliveryError } from '../../../src/errors/index.ts'
import { Deliveries } from '../../../src/sinks/kafka/flush-timeout.ts'
import { batchOf } from '../../support/batches.ts'

const TIMEOUT = { topic: 't', timeoutMs: 10, acknowledged: () => 0 }
const STALLED = { code: 'DELIVERY_TIMED_OUT' }

/** A delivery that settles when the test says so, and how often it was begun. */
function delivery(): PromiseWithResolvers<void> & { count: number; begin(): Promise<void> } {
  const resolvers = Promise.withResolvers<void>()
  return Object.assign(resolvers, {
    count: 0,
    begin(this: { count: number }) {
      this.count++
      return resolvers.promise
    },
  })
}

// Each attempt put the records into the producer once more, and all copies were written when the brokers were back.
describe('a delivery whose wait was given up', () => {
  test('stands for the next attempts', async () => {
    const [deliveries, batch, sent] = [new Deliveries(), batchOf(['a']), delivery()]
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(deliveries.wait(batch, () => sent.begin(), TIMEOUT)).rejects.toMatchObject(STALLED)
    sent.resolve()
    await deliveries.wait(batch, () => sent.begin(), TIMEOUT)
    expect(sent.count).toBe(1)
  })

  test('reports once what it failed with meanwhile; then the batch is written again', async () => {
    const [deliveries, batch, sent] = [new Deliveries(), batchOf(['a']), delivery()]
    await expect(deliveries.wait(batch, () => sent.begin(), TIMEOUT)).rejects.toMatchObject(STALLED)
    const failure = new BatchError('some failed', new Map([[0, new DeliveryError('refused')]]))
    sent.reject(failure)
    await expect(deliveries.wait(batch, () => sent.begin(), TIMEOUT)).rejects.toBe(failure)
    const again = delivery()
    again.resolve()
    await deliveries.wait(batch, () => again.begin(), TIMEOUT)
    expect([sent.count, again.count]).toEqual([1, 1])
  })

  test('is ended with what became of it', async () => {
    const [deliveries, batch, sent] = [new Deliveries(), batchOf(['a']), delivery()]
    expect(await deliveries.end(batch, () => expect.unreachable())).toBe(false)
    await expect(deliveries.wait(batch, () => sent.begin(), TIMEOUT)).rejects.toMatchObject(STALLED)
    expect(await deliveries.end(batch, () => sent.resolve())).toBe(true)
    expect(await deliveries.end(batch, () => expect.unreachable())).toBe(false)
  })

  test('is not given up where there is no timeout', async () => {
    const [deliveries, batch, sent] = [new Deliveries(), batchOf(['a']), delivery()]
    setTimeout(() => sent.resolve(), 30)
    await deliveries.wait(batch, () => sent.begin(), { ...TIMEOUT, timeoutMs: undefined })
    expect(sent.count).toBe(1)
  })

  test('is not given up while others are acknowledged', async () => {
    const [deliveries, batch, sent] = [new Deliveries(), batchOf(['a']), delivery()]
    let count = 0
    const acknowledged = (): number => {
      if (++count === 5) sent.resolve()
      return count
    }
    await deliveries.wait(batch, () => sent.begin(), { ...TIMEOUT, acknowledged })
    expect(count).toBe(5)
  })
})
