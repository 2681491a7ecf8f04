/**
 * Every scenario of chaos/ for a quarter of a minute, two at a time, each in a setting that is drawn anew for every run of the
 * tests. The output shows how to repeat each; `npm run -s chaos` runs them for as long as one likes.
 */
import { describe, expect, test } from 'vitest'
import { SCENARIOS } from '../../../../chaos/scenarios/index.ts'
import type { Allowed } from '../../../../chaos/settings.ts'
import { brokerAvailable, javaAvailable, threeBrokers } from '../support/broker.ts'
import { CHAOS_TIMEOUT_MS, runShort } from '../support/chaos.ts'

/** Set `CHAOS_SEED` to draw the settings and faults of an earlier run again. */
const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 1e9))

/** What takes too long for a test, or does not work yet. */
const DRAW: { readonly [scenario: string]: Allowed } = {
  // A member is dead only after 45 s by default, and twice of that is what the scenario waits for.
  zombie: { options: ['quick'] },
  // Partitions are looked for every five minutes by default.
  'partitions-added': { options: ['quick'] },
  // With exactly_once, a record that the broker finds too large ends the run although the policy is to skip it: a fault that is not fixed yet.
  oversized: { delivery: ['at_least_once', 'at_most_once'] },
}

/** Scenarios that show a fault of Millrace which is not fixed yet. */
const FAILING: { readonly [scenario: string]: string } = {
  'slow-handler':
    'stages work through a whole slice without a turn of the event loop, so heartbeats stop and partitions are lost',
  'compression-bomb':
    'the same, while large values are decompressed and parsed; and memory is bounded in compressed bytes only',
}

const SHORT = SCENARIOS.filter(({ name }) => !(name in FAILING)).map((scenario, i) => ({
  name: scenario.name,
  scenario,
  seed: SEED + i,
  draw: DRAW[scenario.name] ?? {},
}))

// I1, I2, I3, I5
describe.skipIf(!brokerAvailable || !javaAvailable)('chaos', { concurrent: true }, () => {
  const kafka = threeBrokers()
  test.for(SHORT)('$name', { timeout: CHAOS_TIMEOUT_MS }, async ({ scenario, draw, seed }, { signal }) => {
    const verdict = await runShort({ scenario, draw }, seed, kafka().bootstrapServers, signal)
    console.log(verdict.repeat, `# ${JSON.stringify(verdict.faults)}`)
    expect(verdict).toMatchObject({
      ok: true,
      problems: [],
      ...Object.fromEntries(verdict.promised.map((count) => [count, 0])),
    })
    expect(verdict.input).toBeGreaterThan(0)
    expect(Object.keys(verdict.faults)).not.toEqual([])
  })
})
