/**
 * Scenarios of chaos/ for some seconds each, in a setting that a seed draws. The output shows how to repeat each;
 * `npm run -s chaos` runs them for as long as one likes.
 *
 * The seed and the scenarios are the same in every run, so that a failure belongs to the change and the tests stay short:
 * `CHAOS_SEED=N` draws other settings, and `CHAOS_SCENARIOS=all` runs every scenario (ten minutes and more on two cores).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Verdict } from '../../../../chaos/scenario.ts'
import { SCENARIOS } from '../../../../chaos/scenarios/index.ts'
import { brokerAvailable, isEmbedded, threeBrokers } from '../support/broker.ts'
import { CHAOS_TIMEOUT_MS, type Exception, runShort } from '../support/chaos.ts'

const SEED = Number(process.env['CHAOS_SEED'] ?? 431_952_288)

/** One for each way of losing or repeating a record; by default these. */
const CHOSEN =
  process.env['CHAOS_SCENARIOS'] ?? `kill-worker,${isEmbedded ? '' : 'kill-broker,'}lost-answer,storm,aborts,poison`

/** Each has brokers, workers and a generator. */
const AT_A_TIME = 2

const EXCEPTIONS: readonly Exception[] = [
  {
    scenarios: ['zombie'],
    setting: { options: ['default'] },
    why: 'a member is dead only after 45 s by default, and twice of that is what the scenario waits for',
  },
  {
    scenarios: ['partitions-added'],
    setting: { options: ['default'] },
    why: 'partitions are looked for every five minutes by default',
  },
  {
    scenarios: ['storm'],
    setting: { options: ['default'] },
    why: 'a group is empty only when the members that were killed have been silent for 45 s, for each kind of membership',
  },
]

const SHORT = SCENARIOS.map((scenario, i) => ({ name: scenario.name, scenario, seed: SEED + i })).filter(
  ({ name }) => CHOSEN === 'all' || CHOSEN.split(',').includes(name),
)

// I1, I2, I3, I5
describe.skipIf(!brokerAvailable)('chaos', () => {
  const kafka = threeBrokers()
  const end = new AbortController()
  const verdicts = new Map<string, Promise<Verdict>>()
  beforeAll(() => {
    const inTurn = turns(AT_A_TIME)
    for (const { name, scenario, seed } of SHORT) {
      const verdict = inTurn(() => runShort(scenario, EXCEPTIONS, seed, kafka().bootstrapServers, end.signal))
      // Reported by its test, whose turn may come later.
      verdict.catch(() => {})
      verdicts.set(name, verdict)
    }
  })
  afterAll(() => end.abort(new Error('The tests have ended')))

  test.for(SHORT)('$name', { timeout: CHAOS_TIMEOUT_MS }, async ({ name }) => {
    const verdict = await verdicts.get(name)!
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

/** Starts so many of the calls that it is given, and another one whenever one has ended. */
function turns(count: number): <T>(run: () => Promise<T>) => Promise<T> {
  let free = count
  const waiting: (() => void)[] = []
  return async (run) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await run()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
}
