/** docs/events.md */
import { EVENTS, type Event } from '../../packages/millrace/src/metrics/events.ts'
import { REASONS } from '../../packages/millrace/src/serve/health.ts'
import { cell, GENERATED } from './tables.ts'

export function eventsPage(): string {
  const rows = Object.entries<Event>(EVENTS).map(
    ([name, { level, doc }]) => `| \`${name}\` | ${level} | ${cell(doc)} |`,
  )
  return [
    '# Events',
    GENERATED,
    'When standard error is not a terminal, `run` logs one JSON object per line. `event` is one of these names, which are stable; `message` is a sentence for people, which may change. Events of the level `debug` are too frequent for that log.',
    'The same names, with `millrace:` in front, are channels of `node:diagnostics_channel`; a message is `{event, message, facts}`. A program also gets them from its own sources and sinks, [with `on`](#in-a-program), and in its `logger`.',
    ['| event | level | when, and what comes with it |', '|---|---|---|', ...rows].join('\n'),
    '## In a program',
    '`source.on(name, listener)` and `sink.on(name, listener)` call a function with the facts of an event, and `off` ends that. What a listener throws is reported as an error, and has no effect on reading or writing.',
    [
      '| name | source | sink | event |',
      '|---|---|---|---|',
      ...listenerRows(),
      '| `warning` | yes | yes | every event of the level `warn`, with its `event` and `message` |',
    ].join('\n'),
    '## Reasons',
    '`/ready` and `/status` say with these names why a pipeline is not ready. They are stable, too.',
    [
      '| reason | when |',
      '|---|---|',
      ...Object.entries(REASONS).map(([name, doc]) => `| \`${name}\` | ${cell(doc)} |`),
    ].join('\n'),
  ].join('\n\n')
}

/** Names for listeners, in the order of the table. */
function listenerRows(): readonly string[] {
  const all = Object.entries<Event>(EVENTS)
  const names = new Set(all.flatMap(([, { source, sink }]) => [source, sink].filter((name) => name !== undefined)))
  return Array.from(names, (name) => {
    const events = all.filter(([, { source, sink }]) => source === name || sink === name)
    const has = (kind: 'source' | 'sink'): string => (events.some(([, event]) => event[kind] === name) ? 'yes' : '')
    return `| \`${name}\` | ${has('source')} | ${has('sink')} | ${events.map(([event]) => `\`${event}\``).join(', ')} |`
  })
}
