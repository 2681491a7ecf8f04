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
  name: field.string().doc('Name of the pipeline, used in client ids and log lines.').example('kafka-etl'),
  version: field.any().optional().doc('Version of the file, for your information.'),
  description: field.any().optional().doc('Description of the pipeline.'),
}

const ONE_THREAD = 'stages run in one thread, batch by batch, and keep the order of rows'

/** `[global]` */
export const globalFields = {
  log_level: field
    .oneOf(['trace', 'debug', 'info', 'warn', 'error'])
    .optional()
    .ignored('warnings and progress are always reported'),
  timeout_seconds: field
    .number({ min: 1 })
    .default(300)
    .doc('How long a run may take. Not allowed with `execution_mode = "streaming"`.'),
  execution_mode: field
    .oneOf(['batch', 'streaming'])
    .default('batch')
    .doc(
      'With `batch`, the run ends when its sources do. With `streaming`, consumers have no default limits, and the run continues until it is stopped.',
    ),
  ...deliveryFields,
  variables: field
    .any()
    .optional()
    .doc('Values for `{{name}}` in the configuration of stages. They can contain `${ENVIRONMENT}` variables.'),
  plugins: field.any().optional().doc('Accepted without effect: everything is built in.'),
  wasm_plugins: field.any().optional().ignored('there are no plug-ins, everything is built in'),
  stream_batch_size: field
    .int({ min: 1 })
    .optional()
    .doc(
      'Maximum rows of a source that go through the stages together. By default as many as the source delivers; a limit costs throughput.',
    ),
  max_parallel_tasks: field.any().optional().ignored(ONE_THREAD),
  concurrency: field.any().optional().ignored(ONE_THREAD),
  executor: field.any().optional().ignored('there is one engine, which streams batches'),
  channel_buffer_size: field.any().optional().ignored('buffers between stages and sinks are limited in bytes'),
  checkpoint_interval: field
    .any()
    .optional()
    .ignored('offsets of delivered records are committed every auto.commit.interval.ms of the consumer'),
}

/** `[error_handling]` */
export const errorFields = {
  strategy: field
    .oneOf(['stop', 'continue', 'retry'])
    .default('stop')
    .doc(
      'What to do with a row that fails: end the run (`stop`), skip it (`continue`), or retry its delivery and then end the run (`retry`).',
    ),
  max_retries: field.int({ min: 0 }).default(3).doc('With `retry`: number of attempts after the first one.'),
  retry_delay_seconds: field.number({ min: 0 }).default(5).unit('s').doc('With `retry`: wait before each attempt.'),
  dead_letter_queue: field
    .object({
      enabled: field
        .boolean()
        .default(true)
        .doc('Whether to write rows that failed permanently to the queue and continue the run.'),
      path: field
        .string()
        .optional()
        .doc('JSON Lines file with record, error, stage_id and timestamp.')
        .example('errors/dead-letters.jsonl'),
      topic: field
        .string()
        .optional()
        .doc('Topic for the same, instead of a file, on the brokers of the producers or else of the consumer.')
        .example('dead-letters'),
    })
    .optional()
    .doc('Where to write rows that failed permanently: a file or a topic. With `stop` there are none.'),
  circuit_breaker: field
    .object(circuitBreakerFields)
    .optional()
    .doc('When to pause because a sink keeps failing. Each sink has its own circuit breaker.')
    .example({ failure_threshold: 5, timeout: 'PT60S' }),
}

/** An entry of `[[stages]]` */
export const stageFields = {
  id: field.string().doc('Name of the stage. Other stages list it as an input.').example('filter'),
  function: field.string().doc('Function of the stage.').example('filter.apply'),
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
    .doc('Stages whose rows it processes; empty for a source.'),
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
      message: `Set either path or topic: ${path === undefined ? 'neither is' : 'both are'} set`,
      suggestion: path === undefined ? 'for example path = "dead-letters.jsonl"' : 'delete one',
    })
    return undefined
  }
  if (path !== undefined) return planned(FILE_SINK, { path, format: 'jsonl', mode: 'append', includeMeta: false })
  if (kafka === undefined) {
    problems.push({
      path: `${LETTERS}.topic`,
      message: `Cannot write dead letters to topic "${topic}" as no stage has the addresses of brokers`,
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
