/**
 * Error policy of a pipeline file, and options of a circuit breaker, in the spellings of all dialects.
 *
 * ```yaml
 * errorPolicy: skip                                   # or fail, retry
 * errorPolicy:
 *   type: retry                                       # strategy
 *   maxRetries: 3                                     # max_retries; maxAttempts counts the first one too
 *   initialBackoff: PT0.1S                            # retry_delay_seconds: the same wait each time
 *   onExhausted: deadLetter
 *   deadLetter: { topic: orders-dead }                # or { type: file, options: { path: dead.jsonl } }
 * circuitBreaker: { failureThreshold: 5, timeout: PT60S }
 * ```
 */
import { ENVELOPES, FAIL, type ErrorPolicy, type RetryPolicy } from '../engine/plan.ts'
import type { OptionRule, Options } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { parseOptions } from '../options/parse.ts'
import { isObject } from '../options/values.ts'
import { type PolicySurroundings, readDeadLetters } from './dead-letters.ts'
import type { ReportProblem } from './problems.ts'

const FATES = ['fail', 'skip', 'deadLetter'] as const
const FATE_SYNONYMS = {
  failFast: 'fail',
  fail_fast: 'fail',
  'fail-fast': 'fail',
  stop: 'fail',
  skipAndContinue: 'skip',
  skip_and_continue: 'skip',
  continue: 'skip',
  dead_letter: 'deadLetter',
  'dead-letter': 'deadLetter',
  deadLetterQueue: 'deadLetter',
  dlq: 'deadLetter',
} as const

export const errorPolicyFields = {
  type: field
    .oneOf(['fail', 'retry', 'skip', 'deadLetter'], FATE_SYNONYMS)
    .optional()
    .aliases('strategy')
    .doc(
      'What to do with a record that fails: end the run (`fail`, also `failFast` or `stop`), retry its delivery, skip it (also `skipAndContinue` or `continue`), or write a dead letter. By default `deadLetter` if `deadLetter` is set, otherwise `fail`.',
    ),
  maxRetries: field
    .int({ min: 0 })
    .optional()
    .aliases('max_retries')
    .doc('How often a delivery is retried. By default 3 with `type: retry`, otherwise 0.'),
  maxAttempts: field.int({ min: 1 }).optional().aliases('max_attempts').doc('The same, including the first attempt.'),
  initialBackoff: field
    .durationMs()
    .default(100)
    .aliases('initial_backoff', 'initialBackoffMs')
    .doc('Wait before the second attempt.')
    .example('PT0.1S'),
  multiplier: field.number({ min: 1 }).default(2).doc('Factor from one wait to the next.'),
  maxBackoff: field
    .durationMs()
    .default(30_000)
    .aliases('max_backoff', 'maxBackoffMs')
    .doc('Longest wait.')
    .example('PT30S'),
  jitter: field.number({ min: 0, max: 1 }).default(0.2).doc('Random share of each wait.'),
  retryDelaySeconds: field
    .number({ min: 0 })
    .optional()
    .aliases('retry_delay_seconds')
    .doc('Fixed wait before each attempt, in seconds, instead of `initialBackoff`, `multiplier` and `maxBackoff`.'),
  onExhausted: field
    .oneOf(FATES, FATE_SYNONYMS)
    .optional()
    .aliases('on_exhausted')
    .doc(
      'What to do when the last attempt has failed. By default `deadLetter` if `deadLetter` is set, otherwise `fail`.',
    ),
  deadLetter: field
    .any()
    .optional()
    .aliases('dead_letter', 'deadLetterQueue', 'dead_letter_queue')
    .doc(
      'Where to write dead letters: `topic` (on the brokers of the sink or the source), `path` of a JSON Lines file, or a sink block with `type` and `options`.',
    )
    .example({ topic: 'orders-dead' }),
  envelope: field
    .oneOf(ENVELOPES)
    .optional()
    .doc(
      'Format of dead letters: the unchanged record with the reason in headers (`headers`, the default for Kafka), everything in one JSON value (`json`, the default elsewhere), or the formats of Rivven (`rivven`) and Conveyor (`conveyor`).',
    ),
}

const rules: readonly OptionRule<typeof errorPolicyFields>[] = [
  ({ type, onExhausted }, isSet) =>
    isSet('onExhausted') && type !== 'retry' && type !== undefined && type !== onExhausted
      ? {
          path: ['onExhausted'],
          message: `onExhausted has no effect with type "${type}"`,
          suggestion: 'write type: retry, or delete it',
        }
      : undefined,
  (_, isSet) =>
    isSet('maxRetries') && isSet('maxAttempts')
      ? {
          path: ['maxAttempts'],
          message: 'Cannot use both maxRetries and maxAttempts as they set the same thing',
          suggestion: 'delete one',
        }
      : undefined,
  (_, isSet) => {
    const other = (['initialBackoff', 'multiplier', 'maxBackoff'] as const).find((name) => isSet(name))
    return isSet('retryDelaySeconds') && other !== undefined
      ? {
          path: ['retryDelaySeconds'],
          message: `Cannot use both retryDelaySeconds and ${other} as they set the same thing`,
          suggestion: 'delete one',
        }
      : undefined
  },
]

export const circuitBreakerFields = {
  enabled: field.boolean().default(true).doc('Whether the circuit breaker is used.'),
  failureThreshold: field
    .int({ min: 1 })
    .default(5)
    .aliases('failure_threshold', 'threshold', 'circuit_breaker_threshold')
    .doc('Failed deliveries in a row after which the pipeline pauses.'),
  timeout: field
    .durationMs({ min: 1 })
    .default(60_000)
    .doc('How long it pauses before it tries one delivery.')
    .example('PT60S'),
}

/** @param place name under which the file has it */
export function readErrorPolicy(
  value: unknown,
  place: string,
  { source, sink }: PolicySurroundings,
  report: ReportProblem,
): ErrorPolicy {
  if (value === undefined || value === null) return FAIL
  const input = typeof value === 'string' ? { type: value } : value
  const { options, problems, warnings } = parseOptions({ options: errorPolicyFields, rules }, input, [place])
  // A short form has no names inside.
  for (const problem of [...problems, ...warnings])
    report(typeof value === 'string' ? { ...problem, path: [place] } : problem)
  if (problems.length > 0) return FAIL
  const letters = isDisabled(options.deadLetter) ? undefined : options.deadLetter
  const { type, onExhausted } = options
  const named =
    type === undefined || type === 'retry' ? (onExhausted ?? (letters === undefined ? 'fail' : 'deadLetter')) : type
  // To go on and to leave dead letters, as Conveyor says it with two options, is one thing here.
  const fate = named === 'skip' && letters !== undefined ? 'deadLetter' : named
  if (fate === 'deadLetter' && letters === undefined) {
    report({
      path: [place],
      message: 'Missing deadLetter, the place for dead letters',
      suggestion: 'for example deadLetter: {topic: orders-dead}',
    })
    return FAIL
  }
  if (fate !== 'deadLetter' && letters !== undefined) {
    report({
      path: [place, 'deadLetter'],
      message: `deadLetter has no effect, as the run ends when a record fails`,
      suggestion: 'write type: deadLetter, or onExhausted: deadLetter',
      warning: true,
    })
  }
  const retry = retryPolicy(options)
  if (fate !== 'deadLetter') return { retry, fate, deadLetters: undefined }
  const deadLetters = readDeadLetters(letters, options.envelope, place, { source, sink }, report)
  return deadLetters === undefined ? FAIL : { retry, fate, deadLetters }
}

/** `{enabled: false, ...}`, as Conveyor writes it. */
function isDisabled(letters: unknown): boolean {
  return isObject(letters) && String(letters['enabled']) === 'false'
}

function retryPolicy(options: Options<typeof errorPolicyFields>): RetryPolicy | undefined {
  const { type, maxRetries, maxAttempts, initialBackoff, multiplier, maxBackoff, jitter, retryDelaySeconds } = options
  const count = maxAttempts === undefined ? (maxRetries ?? (type === 'retry' ? 3 : 0)) : maxAttempts - 1
  if (count === 0) return undefined
  const delayMs = retryDelaySeconds === undefined ? undefined : retryDelaySeconds * 1000
  const backoff =
    delayMs === undefined
      ? { initialMs: initialBackoff, maxMs: maxBackoff, multiplier, jitter }
      : { initialMs: delayMs, maxMs: delayMs, multiplier: 1, jitter: 0 }
  return { maxRetries: count, backoff }
}
