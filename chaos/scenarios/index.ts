/** The list of all scenarios. */
import type { Scenario } from '../scenario.ts'
import { aborts } from './aborts.ts'
import { breaker } from './breaker.ts'
import { killBroker } from './kill-broker.ts'
import { killWorker } from './kill-worker.ts'
import { lostAnswer } from './lost-answer.ts'
import { poison } from './poison.ts'
import { slowSink } from './slow-sink.ts'
import { storm } from './storm.ts'
import { zombie } from './zombie.ts'

export const SCENARIOS: readonly Scenario[] = [
  killWorker,
  killBroker,
  lostAnswer,
  zombie,
  storm,
  aborts,
  poison,
  slowSink,
  breaker,
]
