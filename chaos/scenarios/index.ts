/** The list of all scenarios. */
import type { Scenario } from '../scenario.ts'
import { killWorker } from './kill-worker.ts'

export const SCENARIOS: readonly Scenario[] = [killWorker]
