/** docs/errors.md */
import { ERROR_CODES } from '../../packages/millrace/src/errors/codes.ts'
import { cell, GENERATED } from './tables.ts'

export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { retriable, exit, doc }]) => `| \`${code}\` | ${retriable ? 'yes' : ''} | ${exit} | ${cell(doc)} |`,
  )
  return [
    '# Errors',
    GENERATED,
    'Every error of Millrace has a `code`, and `retriable` says whether the same call may succeed later (for `BROKER_ERROR` Kafka’s own table decides). The command line ends with the exit code.',
    ['| code | retriable | exit | when, and what to do |', '|---|---|---|---|', ...rows].join('\n'),
  ].join('\n\n')
}
