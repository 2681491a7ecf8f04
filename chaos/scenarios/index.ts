/** The list of all scenarios. */
import type { Scenario } from '../scenario.ts'
import { libraryKeys } from './library-keys.ts'
import { libraryLoop } from './library-loop.ts'
import { abortUnknown } from './abort-unknown.ts'
import { oversized } from './oversized.ts'
import { compressionBomb } from './compression-bomb.ts'
import { slowHandler } from './slow-handler.ts'
import { uncleanElection } from './unclean-election.ts'
import { partitionsAdded } from './partitions-added.ts'
import { leaderMoved } from './leader-moved.ts'
import { credentialsRotated } from './credentials-rotated.ts'
import { fullDisk } from './full-disk.ts'
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
  fullDisk,
  credentialsRotated,
  leaderMoved,
  partitionsAdded,
  uncleanElection,
  slowHandler,
  compressionBomb,
  oversized,
  abortUnknown,
  libraryKeys,
  libraryLoop,
]
