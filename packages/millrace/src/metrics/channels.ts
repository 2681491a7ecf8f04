/**
 * Channels of `node:diagnostics_channel`, one for each event of the table, so that programs and tools can listen without a log:
 *
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * subscribe('millrace:partitions.assigned', (message) => console.log(message))
 * ```
 *
 * A message is an `EventMessage`. Without subscribers nothing is created.
 */
import { channel, type Channel } from 'node:diagnostics_channel'
import { EVENTS, type EventFacts, type EventName, type Happenings } from './events.ts'

/** What subscribers get. */
export interface EventMessage {
  readonly event: EventName
  /** A sentence for people. */
  readonly message: string
  readonly facts: EventFacts
}

/** By the names of the events; each channel is called `millrace:` and the name. */
export const CHANNELS = Object.fromEntries(
  Object.keys(EVENTS).map((event) => [event, channel(`millrace:${event}`)]),
) as { readonly [event in EventName]: Channel } // the keys are those of the table

/** Publishes an event, if anything listens. */
export function publish(event: EventName, message: string, facts: EventFacts): void {
  const target = CHANNELS[event]
  if (target.hasSubscribers) target.publish({ event, message, facts } satisfies EventMessage)
}

/** Events of what no program listens to. */
export const TO_CHANNELS: Happenings = {
  hears: (event) => CHANNELS[event].hasSubscribers,
  report: (message, facts = {}) => publish(facts.event ?? 'warning', message, facts),
}
