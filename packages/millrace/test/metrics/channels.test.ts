import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { runPlan } from '../../src/engine/run-plan.ts'
import { CHANNELS, publish } from '../../src/metrics/channels.ts'
import { EVENTS } from '../../src/metrics/events.ts'
import { MemorySink, memoryComponents, memoryPlan, MemorySource } from '../support/memory-components.ts'

test('each event of the table has its channel, and no other', () => {
  expect(Object.keys(CHANNELS)).toEqual(Object.keys(EVENTS))
  for (const [event, { name }] of Object.entries(CHANNELS)) expect(name).toBe(`millrace:${event}`)
})

test('subscribers get what a run reports', async () => {
  const got: unknown[] = []
  const listen = (message: unknown): void => void got.push(message)
  subscribe('millrace:record.skipped', listen)
  const never = new AbortController().signal
  const warned: string[] = []
  await runPlan(memoryPlan({ errorPolicy: { retry: undefined, fate: 'skip', deadLetters: undefined } }), {
    components: memoryComponents(new MemorySource([['half']], []), new MemorySink([])),
    signal: never,
    abort: never,
    untilEnd: true,
    warn: (message) => void warned.push(message),
  })
  unsubscribe('millrace:record.skipped', listen)
  publish('record.skipped', 'nothing listens', {})
  expect(got).toMatchObject([
    { event: 'record.skipped', message: warned[0], facts: { code: 'DECODE_FAILED', partition: 3 } },
  ])
})
