/** Short forms of the chaos scenarios, as tests. */
import { inject } from 'vitest'
import { runScenario } from '../../../../chaos/run-scenario.ts'
import type { Scenario, Verdict } from '../../../../chaos/scenario.ts'
import type { Delivery, Lane, Shape } from '../../../../chaos/setup.ts'

const SECONDS = 20

export interface ShortForm {
  readonly scenario: Scenario
  readonly delivery: Delivery
  readonly lane: Lane
  /** A line when omitted. */
  readonly shape?: Shape
}

/** Far more than they take, for machines with other things to do. */
export const CHAOS_TIMEOUT_MS = 240_000

/** Runs a scenario on the broker of the tests where it may, with another seed each time; the verdict tells which. */
export function runShort({ scenario, delivery, lane, shape }: ShortForm, signal: AbortSignal): Promise<Verdict> {
  const log: string[] = []
  return runScenario(scenario, {
    seconds: SECONDS,
    delivery,
    lane,
    shape,
    seed: Math.floor(Math.random() * 1e9),
    rate: 1000,
    bootstrapServers: inject('bootstrapServers'),
    signal,
    tell: (text) => log.push(text),
  }).catch((error: unknown) => {
    throw new Error(log.join('\n'), { cause: error })
  })
}
