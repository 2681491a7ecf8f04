/** What a delivery guarantee means with the sinks of a plan; for `explain`. */
import type { Delivery } from '../contracts/context.ts'
import type { Sink, Weakness } from '../contracts/sink.ts'

type Weak = Pick<Sink, 'weakness'>

/**
 * As a sentence without a period.
 * @param commits what is added where nothing acknowledged is lost, and offsets follow acknowledgements
 */
export function meaningOf(delivery: Delivery, { weakness: { loss, repetition } = {} }: Weak, commits = ''): string {
  const more = [loss, repetition].filter((sentence) => sentence !== undefined)
  switch (delivery) {
    case 'exactly_once':
      return 'readers of committed records see each record once, whatever fails; outputs and offsets are committed together'
    case 'at_most_once':
      return ['no record is written by two runs; records in flight in a crash are lost', ...more].join('; ')
    case 'at_least_once':
      return [
        loss === undefined
          ? `nothing is lost, whatever fails${commits}`
          : `records that the sink has acknowledged are not read again`,
        ...more,
        'after a crash the records in flight are written again',
      ].join('; ')
  }
}

/** Of several sinks: the first of each kind. */
export function weaknessOfAll(sinks: readonly Weak[]): Weakness | undefined {
  const each = sinks.flatMap(({ weakness }) => weakness ?? [])
  if (each.length === 0) return undefined
  return {
    loss: each.find(({ loss }) => loss !== undefined)?.loss,
    repetition: each.find(({ repetition }) => repetition !== undefined)?.repetition,
  }
}
