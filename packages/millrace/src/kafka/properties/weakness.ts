/** What acknowledgements of a producer do not promise. Lint, `explain` and the sink report the same. */
import type { Weakness } from '../../contracts/sink.ts'

/**
 * Where records that were acknowledged can be lost, or written again, because of the options that were chosen.
 * @returns undefined with acks all and idempotence: what is acknowledged is kept, once and in order
 */
export function weaknessOf(acks: 'all' | 0 | 1, idempotence: boolean): Weakness | undefined {
  if (acks === 'all' && idempotence) return undefined
  return {
    loss: LOSS[acks],
    repetition: idempotence
      ? undefined
      : 'a request whose answer is lost is sent again, so its records may be written twice, the second time behind later ones (without idempotence)',
  }
}

const LOSS = {
  all: undefined,
  0: 'records can be lost without any error, as brokers acknowledge nothing (acks 0)',
  1: 'acknowledged records are lost if the leader fails before its followers have them (acks 1)',
} as const
