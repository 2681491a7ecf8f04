/**
 * What must hold of the records that come out, by setting and by what is broken meanwhile: the tables of docs/guarantees.md
 * as code.
 */
import type { Setting } from './settings.ts'

/**
 * What a scenario breaks: processes that run pipelines are killed, connections or answers are lost, or brokers that lead
 * partitions of the output go down or lose their office.
 */
export type Breakage = 'process' | 'connection' | 'leader'

export type Promised = 'lost' | 'repeated' | 'outOfOrder'

/** @returns the counts that must be 0 */
export function promisesOf({ delivery, acks, brokers }: Setting, breaks: readonly Breakage[]): readonly Promised[] {
  if (delivery === 'exactly_once') return ['lost', 'repeated', 'outOfOrder']
  // Without a response the sink knows nothing of its records; whatever breaks may take some along.
  if (acks === '0' && breaks.length > 0) return delivery === 'at_most_once' ? ['repeated'] : []
  // What only the leader has is lost when another one leads. A broker alone comes back with its log.
  const isKept = acks !== '1' || brokers === 1 || !breaks.includes('leader')
  if (delivery === 'at_most_once') {
    if (breaks.length === 0) return ['lost', 'repeated', 'outOfOrder']
    // A request that is given up may be handled all the same, and by then the next one has been. Idempotence would refuse it.
    return acks === '1' ? ['repeated'] : ['repeated', 'outOfOrder']
  }
  return isKept ? ['lost', 'outOfOrder'] : ['outOfOrder']
}
