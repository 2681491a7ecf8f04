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
    'When standard error is not a terminal, `run` logs one JSON object per line. `event` is one of these names, which are stable; `message` is a sentence for people, which may change.',
    'The same names, with `millrace:` in front, are channels of `node:diagnostics_channel`; a message is `{event, message, facts}`.',
    ['| event | level | when, and what comes with it |', '|---|---|---|', ...rows].join('\n'),
    '## Reasons',
    '`/ready` and `/status` say with these names why a pipeline is not ready. They are stable, too.',
    [
      '| reason | when |',
      '|---|---|',
      ...Object.entries(REASONS).map(([name, doc]) => `| \`${name}\` | ${cell(doc)} |`),
    ].join('\n'),
  ].join('\n\n')
}
