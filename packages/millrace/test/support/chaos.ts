/** Short forms of the chaos scenarios, as tests. */
import { inject } from 'vitest'
import { Random } from '../../../../chaos/random.ts'
import { runScenario } from '../../../../chaos/run-scenario.ts'
import type { Scenario, Verdict } from '../../../../chaos/scenario.ts'
import { type Allowed, parseSetting, printSetting, settingsWithin } from '../../../../chaos/settings.ts'

/** Longer runs find more; `npm run -s chaos` has them. */
const SECONDS = 12

/** Settings in which a scenario is not tested. */
export interface Exception {
  readonly scenarios: readonly Scenario['name'][]
  readonly setting: Allowed
  readonly why: string
}

/** Far more than all of them take, for machines with other things to do. */
export const CHAOS_TIMEOUT_MS = 1_200_000

/**
 * Runs a scenario in a setting drawn by the seed, on brokers that the tests share where it leaves them alone.
 * @param threeBrokers addresses of a cluster of three
 * @throws {Error} with what happened, when it could not be carried out
 */
export async function runShort(
  scenario: Scenario,
  exceptions: readonly Exception[],
  seed: number,
  threeBrokers: string,
  signal: AbortSignal,
): Promise<Verdict> {
  const log: string[] = []
  try {
    return await runScenario(scenario, {
      seconds: SECONDS,
      setting: drawn(scenario, exceptions, seed),
      seed,
      rate: 1000,
      running: { 1: inject('bootstrapServers'), 3: threeBrokers },
      isEmbedded: inject('isEmbedded'),
      signal,
      tell: (text) => log.push(text),
    })
  } catch (error) {
    throw new Error(log.join('\n'), { cause: error })
  }
}

/** A setting that the scenario allows and no exception covers. */
function drawn(scenario: Scenario, exceptions: readonly Exception[], seed: number): Allowed {
  const excepted = new Set(
    exceptions
      .filter(({ scenarios }) => scenarios.includes(scenario.name))
      .flatMap(({ setting }) => settingsWithin(setting).map(printSetting)),
  )
  const left = settingsWithin(scenario.allowed ?? {}).map(printSetting)
  return parseSetting(new Random(seed).pick(left.filter((setting) => !excepted.has(setting))))
}
