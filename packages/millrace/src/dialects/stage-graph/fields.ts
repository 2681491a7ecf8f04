/**
 * The sections of a stage graph: what may stand in them, and what `[error_handling]` comes to.
 */
import { FILE_SINK, KAFKA_SINK, planned } from '../../catalog.ts'
import type { CircuitBreakerPlan, PlannedComponent, DeadLetterPlan, ErrorPolicy } from '../../engine/plan.ts'
import type { ConfigProblem } from '../../errors/index.ts'
import type { Options } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { parseOptions } from '../../options/parse.ts'
import { connectionOptions } from '../dead-letters.ts'
import { deliveryFields } from '../delivery.ts'
import { circuitBreakerFields } from '../error-policy.ts'

/** `[pipeline]` */
export const pipelineFields = {
  name: field.string().doc('Name of the pipeline; part of client ids and log lines.').example('kafka-etl'),
  version: field.any().optional().doc('Version of the file; for people.'),
  description: field.any().optional().doc('What the pipeline is for.'),
}

const ONE_THREAD = 'stages run in one thread, batch by batch, and the order is kept'

/** `[global]` */
export const globalFields = {
  log_level: field
    .oneOf(['trace', 'debug', 'info', 'warn', 'error'])
    .optional()
    .ignored('warnings and progress are told, whatever it says'),
  timeout_seconds: field
    .number({ min: 1 })
    .default(300)
    .doc('How long a run may take; not with `execution_mode = "streaming"`.'),
  execution_mode: field
    .oneOf(['batch', 'streaming'])
    .default('batch')
    .doc(
      '`batch` ends when its sources do; with `streaming` consumers have no default bounds and a run goes on until it is stopped.',
    ),
  ...deliveryFields,
  variables: field
    .any()
    .optional()
    .doc('Texts that stand for `{{name}}` in the configuration of stages, with `${ENVIRONMENT}` inside.'),
  plugins: field.any().optional().doc('Accepted: everything is built in.'),
  wasm_plugins: field.any().optional().ignored('there are no plug-ins, everything is built in'),
  stream_batch_size: field
    .int({ min: 1 })
    .optional()
    .doc(
      'Most rows of a source that go through the stages together. By default as many as it gives; a limit costs time.',
    ),
  max_parallel_tasks: field.any().optional().ignored(ONE_THREAD),
  concurrency: field.any().optional().ignored(ONE_THREAD),
  executor: field.any().optional().ignored('there is one, through which batches stream'),
  channel_buffer_size: field.any().optional().ignored('what waits between stages and sinks is bounded in bytes'),
  checkpoint_interval: field
    .any()
    .optional()
    .ignored('offsets of what was delivered are committed every auto.commit.interval.ms of the consumer'),
}

/** `[error_handling]` */
export const errorFields = {
  strategy: field
    .oneOf(['stop', 'continue', 'retry'])
    .default('stop')
    .doc(
      'What happens to a row that fails: end the run, leave it out, or try its delivery again and end the run then.',
    ),
  max_retries: field.int({ min: 0 }).default(3).doc('With `retry`: attempts after the first one.'),
  retry_delay_seconds: field.number({ min: 0 }).default(5).unit('s').doc('With `retry`: wait before each of them.'),
  dead_letter_queue: field
    .object({
      enabled: field.boolean().default(true).doc('Whether rows that failed for good are kept, and the run goes on.'),
      path: field
        .string()
        .optional()
        .doc('File of JSON lines with record, error, stage_id and timestamp.')
        .example('errors/dead-letters.jsonl'),
      topic: field
        .string()
        .optional()
        .doc('Topic for the same in place of a file, on the brokers of the producers, or of the consumer.')
        .example('dead-letters'),
    })
    .optional()
    .doc('Where rows that failed for good are kept, a file or a topic; with `stop` there are none.'),
  circuit_breaker: field
    .object(circuitBreakerFields)
    .optional()
    .doc('When deliveries pause because a sink keeps failing. Each sink has a circuit of its own.')
    .example({ failure_threshold: 5, timeout: 'PT60S' }),
}

/** An entry of `[[stages]]` */
export const stageFields = {
  id: field.string().doc('Name of the stage, by which others take its rows.').example('filter'),
  function: field.string().doc('What it does.').example('filter.apply'),
  inputs: field
    .of<readonly string[]>({
      expected: 'a list of stage ids',
      schema: { type: 'array', items: { type: 'string' } },
      read(value, report) {
        const list: unknown = typeof value === 'string' ? [value] : value
        if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list
        report({ expected: this.expected, found: value })
        return []
      },
    })
    .default([])
    .doc('Stages whose rows it takes; none for a source.'),
  config: field.any().optional().doc('Options of the function.'),
}

type ErrorOptions = Options<typeof errorFields>

/** @param kafka a stage whose brokers are those of dead letters in a topic; undefined when no stage has any */
export function errorPolicy(
  { strategy, max_retries, retry_delay_seconds, dead_letter_queue: letters }: ErrorOptions,
  kafka: PlannedComponent['options'] | undefined,
  problems: ConfigProblem[],
  warnings: ConfigProblem[],
): ErrorPolicy {
  const delayMs = retry_delay_seconds * 1000
  const retry =
    strategy === 'retry' && max_retries > 0
      ? { maxRetries: max_retries, backoff: { initialMs: delayMs, maxMs: delayMs, multiplier: 1, jitter: 0 } }
      : undefined
  if (letters === undefined || !letters.enabled)
    return { retry, fate: strategy === 'continue' ? 'skip' : 'fail', deadLetters: undefined }
  if (strategy === 'stop') {
    warnings.push({
      path: LETTERS,
      message: 'The dead-letter queue has no effect, as with strategy "stop" the run ends before the row that fails',
      suggestion: 'use strategy = "continue" or "retry"',
    })
    return { retry, fate: 'fail', deadLetters: undefined }
  }
  const sink = letterSink(letters, kafka, problems)
  if (sink === undefined) return { retry, fate: 'fail', deadLetters: undefined }
  return { retry, fate: 'deadLetter', deadLetters: { sink, envelope: 'conveyor' } }
}

const LETTERS = 'error_handling.dead_letter_queue'

function letterSink(
  { path, topic }: NonNullable<ErrorOptions['dead_letter_queue']>,
  kafka: PlannedComponent['options'] | undefined,
  problems: ConfigProblem[],
): DeadLetterPlan['sink'] | undefined {
  if ((path === undefined) === (topic === undefined)) {
    problems.push({
      path: LETTERS,
      message: `There must be exactly one of path and topic: there ${path === undefined ? 'is neither' : 'are both'}`,
      suggestion: path === undefined ? 'for example path = "dead-letters.jsonl"' : 'delete one',
    })
    return undefined
  }
  if (path !== undefined) return planned(FILE_SINK, { path, format: 'jsonl', mode: 'append', includeMeta: false })
  if (kafka === undefined) {
    problems.push({
      path: `${LETTERS}.topic`,
      message: `Cannot write dead letters to topic "${topic}" as no stage says where the brokers are`,
      suggestion: 'write them to a file, with path',
    })
    return undefined
  }
  const { options } = parseOptions({ options: KAFKA_SINK.options }, { ...connectionOptions(kafka), topic, acks: 'all' })
  return planned(KAFKA_SINK, options)
}

export function circuitBreaker({ circuit_breaker: breaker }: ErrorOptions): CircuitBreakerPlan | undefined {
  return breaker?.enabled === true ? { failureThreshold: breaker.failureThreshold, openMs: breaker.timeout } : undefined
}
