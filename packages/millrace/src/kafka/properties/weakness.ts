/** What acknowledgements of a producer do not promise. Lint, `explain` and the sink report the same. */
import type { Delivery } from '../../contracts/context.ts'
import type { Weakness } from '../../contracts/sink.ts'

/**
 * Where records that were acknowledged can be lost, or written again, because of the options that were chosen.
 * @returns undefined with acks all and idempotence: what is acknowledged is kept, once and in order
 */
export function weaknessOf(acks: 'all' | 0 | 1, idempotence: boolean, delivery?: Delivery): Weakness | undefined {
  if (acks === 'all' && idempotence) return undefined
  if (delivery === 'at_most_once')
    return { loss: [LOSS[acks], 'a request whose response is lost is not sent again'].filter(Boolean).join('; ') }
  return {
    loss: LOSS[acks],
    repetition: idempotence
      ? undefined
      : 'a request whose response is lost is sent again, except with at_most_once, so its records may be written twice, the second time behind later ones (without idempotence)',
  }
}

const LOSS = {
  all: undefined,
  0: 'records can be lost without any error, as brokers acknowledge nothing (acks 0)',
  1: 'acknowledged records are lost if the leader fails before its followers have them (acks 1)',
} as const
