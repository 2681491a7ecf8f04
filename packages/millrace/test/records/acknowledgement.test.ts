import { expect, test } from 'vitest'
import { SharedAcknowledgement } from '../../src/records/acknowledgement.ts'

function counted(): { readonly ack: () => void; count: number } {
  const counter = { ack: () => void counter.count++, count: 0 }
  return counter
}

test('acknowledges all targets once, when it is released and every share is acknowledged, in whatever order (I1)', () => {
  const [one, other] = [counted(), counted()]
  const shared = new SharedAcknowledgement([one, other])
  const [first, second] = [shared.share(), shared.share()]
  second.ack()
  second.ack()
  shared.release()
  expect([one.count, other.count]).toEqual([0, 0])
  first.ack()
  first.ack()
  expect([one.count, other.count]).toEqual([1, 1])
})

test('waits for the release even when all shares so far are acknowledged, as there may be more', () => {
  const target = counted()
  const shared = new SharedAcknowledgement([target])
  shared.share().ack()
  expect(target.count).toBe(0)
  shared.share().ack()
  shared.release()
  expect(target.count).toBe(1)
})

test('acknowledges at the release when there is no share', () => {
  const target = counted()
  new SharedAcknowledgement([target]).release()
  expect(target.count).toBe(1)
})
