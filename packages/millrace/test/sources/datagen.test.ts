import { expect, test } from 'vitest'
import { parseOptions } from '../../src/options/parse.ts'
import { datagenSource } from '../../src/sources/datagen/index.ts'
import { UNSEEN_METER } from '../../src/metrics/counters.ts'

// Each batch began at 0, so that errors and dead letters named the wrong record.
test('its records are numbered over all batches', async () => {
  const { options } = parseOptions(datagenSource, { max_events: 250, events_per_second: 0 })
  const source = await datagenSource.create(options, {
    pipeline: 'p',
    untilEnd: true,
    directory: '.',
    warn: () => {},
    metrics: UNSEEN_METER,
  })
  const { signal } = new AbortController()
  await source.open(signal)
  const offsets: number[] = []
  let batches = 0
  for await (const batch of source.batches(signal)) {
    batches++
    for (let row = 0; row < batch.length; row++) offsets.push(Number(batch.offset(row)))
  }
  await source.close()
  expect(batches).toBeGreaterThan(1)
  expect(offsets).toEqual(Array.from({ length: 250 }, (_, i) => i))
})
