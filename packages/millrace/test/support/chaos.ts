/** Short forms of the chaos scenarios, as tests. */
import { inject } from 'vitest'
import { runScenario } from '../../../../chaos/run-scenario.ts'
import type { Scenario, Verdict } from '../../../../chaos/scenario.ts'
import type { Allowed } from '../../../../chaos/settings.ts'

/** Longer runs find more; `npm run -s chaos` has them. */
const SECONDS = 15

export interface ShortForm {
  readonly scenario: Scenario
  /** Of the settings that the scenario allows, those from which the test draws; all when omitted. */
  readonly draw?: Allowed
}

/** Far more than they take, for machines with other things to do. */
export const CHAOS_TIMEOUT_MS = 300_000

/**
 * Runs a scenario in a setting drawn by the seed, on brokers that the tests share where it leaves them alone.
 * @param threeBrokers addresses of a cluster of three
 * @throws {Error} with what happened, when it could not be carried out
 */
export async function runShort(
  { scenario, draw = {} }: ShortForm,
  seed: number,
  threeBrokers: string,
  signal: AbortSignal,
): Promise<Verdict> {
  const log: string[] = []
  try {
    return await runScenario(scenario, {
      seconds: SECONDS,
      setting: draw,
      seed,
      rate: 1000,
      running: { 1: inject('bootstrapServers'), 3: threeBrokers },
      signal,
      tell: (text) => log.push(text),
    })
  } catch (error) {
    throw new Error(log.join('\n'), { cause: error })
  }
}
