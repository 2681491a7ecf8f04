/** docs/events.md */
import { EVENTS, type Event } from '../../packages/millrace/src/metrics/events.ts'
import { cell, GENERATED } from './tables.ts'

export function eventsPage(): string {
  const rows = Object.entries<Event>(EVENTS).map(
    ([name, { level, doc }]) => `| \`${name}\` | ${level} | ${cell(doc)} |`,
  )
  return [
    '# Events',
    GENERATED,
    'When standard error is not a terminal, `run` logs one JSON object per line. `event` is one of these names, which are stable; `message` is a sentence for people, which may change.',
    ['| event | level | when, and what comes with it |', '|---|---|---|', ...rows].join('\n'),
  ].join('\n\n')
}
