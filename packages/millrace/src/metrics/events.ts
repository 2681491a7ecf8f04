/**
 * All events that a run reports, once: their names, how serious they are, and what they mean. Log lines carry the name as `event`,
 * and each is also published on a channel of `node:diagnostics_channel`. docs/events.md is derived from this table.
 *
 * Names are API, as those of metrics are. May import nothing but `errors/`.
 */

export interface Event {
  readonly level: 'info' | 'warn' | 'error'
  /** In whole sentences, with the facts that come with it. */
  readonly doc: string
}

export const EVENTS = {
  'run.started': { level: 'info', doc: 'A run begins. Facts: `version`, `file`, `delivery`, `groups` or `pipelines`.' },
  'run.progress': {
    level: 'info',
    doc: 'How far the run is, every 10 seconds. Facts: `read`, `written`, rates, `lag`, and what happened to records that failed.',
  },
  'run.stopping': {
    level: 'info',
    doc: 'A signal stops the run: records in flight are delivered and committed first.',
  },
  'run.failed': { level: 'error', doc: 'The run ended with an error. Facts: `code`, `hint`.' },
  'http.listening': {
    level: 'info',
    doc: 'The HTTP server for metrics, health and the dashboard has started. Facts: `url`.',
  },
  'group.joining': {
    level: 'info',
    doc: 'Joining the group takes long: its other members have to join, or to time out. Facts: `group`.',
  },
  'partitions.assigned': {
    level: 'info',
    doc: 'The group has assigned partitions to this member. Facts: `group`, `partitions` (how many), `of` (how many there are).',
  },
  'partitions.undrained': {
    level: 'warn',
    doc: 'Partitions were revoked before all records read from them were delivered. The rest is read again. Facts: `partitions`, `deadlineMs`.',
  },
  'partitions.lost': {
    level: 'warn',
    doc: 'The group removed this member, for instance because it sent no heartbeat for `session.timeout.ms`. Uncommitted records are read again.',
  },
  'partitions.unreadable': {
    level: 'warn',
    doc: 'Partitions cannot be read for 5 seconds or more. Facts: `topic`, `partition`, `partitions`, `seconds`; the message has the reason.',
  },
  'partitions.readable': { level: 'warn', doc: 'All partitions can be read again. Facts: `topic`, `partition`.' },
  'partitions.moved': {
    level: 'warn',
    doc: 'The position was not in the log, and reading continues at another offset. Facts: `topic`, `partition`, `position`, `offset`.',
  },
  'offsets.failed': { level: 'warn', doc: 'A commit of offsets failed; it is tried again.' },
  'transaction.aborted': {
    level: 'warn',
    doc: 'A transaction was aborted, and reading restarts at the committed offsets. Facts: `failures`.',
  },
  'breaker.open': { level: 'warn', doc: 'A circuit breaker has opened: deliveries wait. Facts: `openMs`.' },
  'breaker.half-open': { level: 'warn', doc: 'A circuit breaker lets one delivery through.' },
  'breaker.closed': { level: 'warn', doc: 'A circuit breaker has closed: deliveries go on.' },
  'record.skipped': {
    level: 'warn',
    doc: 'A record failed and was skipped; the first three of each code, then one a minute. Facts: `code`, `topic`, `partition`, `offset`, `notShown`.',
  },
  warning: { level: 'warn', doc: 'Something else that an operator should know.' },
} as const satisfies { readonly [name: string]: Event }

export type EventName = keyof typeof EVENTS

/** What comes with an event. */
export interface EventFacts {
  readonly event?: EventName
  readonly [name: string]: unknown
}

/** Reports an event to the operator. @param message in a sentence without a period */
export type Report = (message: string, facts?: EventFacts) => void
