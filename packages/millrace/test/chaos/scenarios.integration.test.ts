/** Every scenario of chaos/ for twenty seconds, two at a time; `npm run -s chaos` has them for as long as one likes. */
import { describe, expect, test } from 'vitest'
import { aborts } from '../../../../chaos/scenarios/aborts.ts'
import { breaker } from '../../../../chaos/scenarios/breaker.ts'
import { killBroker } from '../../../../chaos/scenarios/kill-broker.ts'
import { killWorker } from '../../../../chaos/scenarios/kill-worker.ts'
import { lostAnswer } from '../../../../chaos/scenarios/lost-answer.ts'
import { poison } from '../../../../chaos/scenarios/poison.ts'
import { slowSink } from '../../../../chaos/scenarios/slow-sink.ts'
import { storm } from '../../../../chaos/scenarios/storm.ts'
import { zombie } from '../../../../chaos/scenarios/zombie.ts'
import { brokerAvailable, javaAvailable } from '../support/broker.ts'
import { CHAOS_TIMEOUT_MS, runShort, type ShortForm } from '../support/chaos.ts'

const SHORT: readonly (ShortForm & { readonly name: string })[] = [
  { name: 'killed workers', scenario: killWorker, delivery: 'at_least_once', lane: 'verbatim' },
  { name: 'killed workers', scenario: killWorker, delivery: 'exactly_once', lane: 'documents' },
  {
    name: 'killed workers of a graph',
    scenario: killWorker,
    delivery: 'exactly_once',
    lane: 'documents',
    shape: 'graph',
  },
  { name: 'killed brokers', scenario: killBroker, delivery: 'exactly_once', lane: 'documents' },
  { name: 'lost answers', scenario: lostAnswer, delivery: 'exactly_once', lane: 'verbatim' },
  { name: 'a zombie', scenario: zombie, delivery: 'exactly_once', lane: 'documents' },
  { name: 'members that come and go', scenario: storm, delivery: 'at_least_once', lane: 'verbatim' },
  { name: 'aborted transactions', scenario: aborts, delivery: 'exactly_once', lane: 'verbatim' },
  { name: 'poisoned records', scenario: poison, delivery: 'at_least_once', lane: 'documents' },
  { name: 'a slow sink', scenario: slowSink, delivery: 'at_least_once', lane: 'documents' },
  { name: 'an output broker that is gone', scenario: breaker, delivery: 'at_least_once', lane: 'verbatim' },
  { name: 'a broker that is gone', scenario: breaker, delivery: 'exactly_once', lane: 'documents' },
]

// I1, I2, I3, I5
describe.skipIf(!brokerAvailable || !javaAvailable)('chaos', { concurrent: true }, () => {
  test.for(SHORT)(
    '$name ($delivery): nothing is lost or overtaken',
    { timeout: CHAOS_TIMEOUT_MS },
    async (short, { signal }) => {
      const verdict = await runShort(short, signal)
      expect(verdict).toMatchObject({
        ok: true,
        lost: 0,
        outOfOrder: 0,
        problems: [],
        ...(short.delivery === 'exactly_once' ? { repeated: 0 } : {}),
      })
      expect(verdict.input).toBeGreaterThan(0)
      expect(Object.keys(verdict.faults)).not.toEqual([])
    },
  )
})
