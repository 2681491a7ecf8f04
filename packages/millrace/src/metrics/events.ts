/**
 * All events, once: their names, how serious they are, and what they mean. A run logs them with the name as `event`, a program listens
 * with `on`, and each is published on a channel of `node:diagnostics_channel`. docs/events.md is derived from this table.
 *
 * Names are API, as those of metrics are. May import nothing but `errors/`.
 */

export interface Event {
  /** `debug`: too frequent for a log, and of interest to programs. */
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** In whole sentences, with the facts that come with it. */
  readonly doc: string
  /** Under which name a `KafkaSource` passes it to listeners; several events may share one. */
  readonly source?: string
  /** The same of a `KafkaSink`. */
  readonly sink?: string
  /** Whether it explains a bend in the numbers: the charts of the dashboard mark it, and `serve` shows it whatever its level. */
  readonly isMarked?: true
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
  'client.connected': {
    level: 'info',
    source: 'connected',
    sink: 'connected',
    doc: 'A `KafkaSource` or `KafkaSink` is ready: brokers were reached, topics exist, and a group was joined. Facts: `clientId`, `brokers`.',
  },
  'client.disconnected': {
    level: 'info',
    source: 'disconnected',
    sink: 'disconnected',
    doc: 'A `KafkaSource` or `KafkaSink` was closed, and has no connections any more. Facts: `clientId`.',
  },
  'broker.connected': {
    level: 'debug',
    source: 'brokerConnected',
    sink: 'brokerConnected',
    doc: 'A connection to a broker was opened. There is one for each purpose. Facts: `clientId`, `broker` (its address).',
  },
  'broker.disconnected': {
    level: 'debug',
    source: 'brokerDisconnected',
    sink: 'brokerDisconnected',
    doc: 'A connection to a broker was lost; it is opened again when it is needed. Facts: `clientId`, `broker`.',
  },
  'records.fetched': {
    level: 'debug',
    source: 'fetched',
    doc: 'Records of a partition were fetched, and the first of them is passed on. Facts: `clientId`, `topic`, `partition`, `offset` (of the first record), `records`, `bytes`.',
  },
  'records.written': {
    level: 'debug',
    sink: 'written',
    doc: 'A call of a `KafkaSink` is over, and records were acknowledged. Facts: `clientId`, `records`, `ms`.',
  },
  'records.failed': {
    level: 'debug',
    sink: 'failed',
    doc: 'Records of a call of a `KafkaSink` failed for good; the call reports them. Facts: `clientId`, `records`, `code`, `error` (the first one).',
  },
  'group.rebalanced': {
    level: 'debug',
    source: 'rebalanced',
    doc: 'The group has changed the partitions of this member. Facts: `clientId`, `group`, `type` (`assigned`, `revoked` or `lost`), `partitions`.',
  },
  'group.joining': {
    level: 'info',
    isMarked: true,
    doc: 'Joining the group takes long: its other members have to join, or to time out. Facts: `group`.',
  },
  'partitions.assigned': {
    level: 'info',
    isMarked: true,
    doc: 'The group has assigned partitions to this member. Facts: `group`, `partitions` (how many), `of` (how many there are).',
  },
  'partitions.undrained': {
    level: 'warn',
    isMarked: true,
    doc: 'Partitions were revoked before all records read from them were delivered. The rest is read again. Facts: `partitions`, `deadlineMs`.',
  },
  'partitions.lost': {
    level: 'warn',
    isMarked: true,
    doc: 'The group removed this member, for instance because it sent no heartbeat for `session.timeout.ms`. Uncommitted records are read again.',
  },
  'partitions.unreadable': {
    level: 'warn',
    isMarked: true,
    doc: 'Partitions cannot be read for 5 seconds or more. Facts: `topic`, `partition`, `partitions`, `seconds`; the message has the reason.',
  },
  'partitions.readable': {
    level: 'warn',
    isMarked: true,
    doc: 'All partitions can be read again. Facts: `topic`, `partition`.',
  },
  'partitions.moved': {
    level: 'warn',
    isMarked: true,
    doc: 'The position was not in the log, and reading continues at another offset. Facts: `topic`, `partition`, `position`, `offset`.',
  },
  'partitions.shorter': {
    level: 'warn',
    doc: 'A partition ends before the offset at which a bounded run was to end, so the run ends there. Facts: `topic`, `partition`, `offset`, `end`.',
  },
  'topics.gone': {
    level: 'warn',
    doc: 'A topic that was found by a pattern, or a partition of a topic that was recreated with fewer, does not exist any more, and is no longer read. Facts: `topic`, `partition`.',
  },
  'offsets.committed': {
    level: 'debug',
    source: 'committed',
    doc: 'Offsets were committed. Facts: `clientId`, `offsets`.',
  },
  'offsets.failed': {
    level: 'warn',
    source: 'commitFailed',
    doc: 'A commit of offsets failed; it is tried again. Facts: `error`.',
  },
  'transaction.begun': {
    level: 'debug',
    sink: 'transaction',
    doc: 'A `KafkaSink` has begun a transaction. Facts: `clientId`, `state`.',
  },
  'transaction.committed': {
    level: 'debug',
    sink: 'transaction',
    doc: 'A `KafkaSink` has committed its transaction. Facts: `clientId`, `state`.',
  },
  'transaction.aborted': {
    level: 'warn',
    sink: 'transaction',
    doc: 'A transaction was aborted. A pipeline then reads again from the committed offsets. Facts: `failures` of a pipeline, `clientId` and `state` of a `KafkaSink`.',
  },
  'breaker.open': {
    level: 'warn',
    sink: 'breaker',
    isMarked: true,
    doc: 'A circuit breaker has opened: deliveries of a pipeline wait, and calls of a `KafkaSink` fail. Facts: `openMs`.',
  },
  'breaker.half-open': {
    level: 'warn',
    sink: 'breaker',
    isMarked: true,
    doc: 'A circuit breaker lets one delivery through.',
  },
  'breaker.closed': {
    level: 'warn',
    sink: 'breaker',
    isMarked: true,
    doc: 'A circuit breaker has closed: deliveries go on.',
  },
  'record.skipped': {
    level: 'warn',
    doc: 'A record failed and was skipped; the first three of each code, then one a minute. Facts: `code`, `topic`, `partition`, `offset`, `notShown`.',
  },
  warning: { level: 'warn', doc: 'Something else that an operator should know.' },
} as const satisfies { readonly [name: string]: Event }

export type EventName = keyof typeof EVENTS

/** What the table says of an event. */
export function eventOf(name: EventName): Event {
  return EVENTS[name]
}

/** Names under which clients of a kind pass events to listeners. */
export type ListenerName<Kind extends 'source' | 'sink'> = {
  [name in EventName]: (typeof EVENTS)[name] extends { readonly [kind in Kind]: infer Name } ? Name : never
}[EventName]

/** What comes with an event. */
export interface EventFacts {
  readonly event?: EventName
  readonly [name: string]: unknown
}

/** Reports an event to the operator. @param message in a sentence without a period */
export type Report = (message: string, facts?: EventFacts) => void

/** Where events go that are too frequent to be put together while nothing listens. */
export interface Happenings {
  hears(event: EventName): boolean
  readonly report: Report
}
