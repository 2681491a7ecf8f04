/** What a linear file may say at its top level. */
import { field } from '../../options/fields.ts'
import { deliveryFields } from '../delivery.ts'

const runtimeFields = {
  queueCapacity: field
    .int({ min: 1 })
    .optional()
    .doc(
      'Batches that may be in flight to the sink at the same time, in addition to the limit of 16 MiB that always applies.',
    ),
  sourceQueueCapacity: field
    .int({ min: 1 })
    .optional()
    .doc('Batches that may wait between source and stages, like `queueCapacity` of the source.'),
  microBatchSize: field
    .int({ min: 1 })
    .optional()
    .doc('Maximum records that stages such as `$group` see at once. Without such stages it has no effect.'),
  workerThreadPoolSize: field
    .int({ min: 1 })
    .optional()
    .always(1, 'a pipeline runs in one thread and keeps the order of records')
    .doc('Threads for the stages. Always 1.'),
  directHandoff: field
    .boolean()
    .optional()
    .always(true, 'stages pass batches on without a queue')
    .doc('Whether stages pass batches on without a queue. They always do.'),
}

/** The top level of a file. */
export const pipelineFields = {
  name: field
    .string()
    .optional()
    .aliases('pipelineId')
    .doc('Name of the pipeline, used in client ids and log lines. By default the file name.'),
  description: field.any().optional().doc('Description of the pipeline: text or a list of lines.'),
  source: field.any().optional().doc('Where records come from: `type`, and its options under `options` or beside it.'),
  stages: field
    .any()
    .optional()
    .aliases('pipeline')
    .doc('Stages in order, each an object with one key such as `$match` or `filter.apply`. May be empty.'),
  sink: field
    .any()
    .optional()
    .doc(
      'Where records go: `type`, and its options under `options` or beside it. With `fanout`, a list of sinks, each record goes to all of them in turn.',
    ),
  ...deliveryFields,
  errorPolicy: field
    .any()
    .optional()
    .aliases('error_handling')
    .doc('What to do when a record fails: `fail` (the default), `skip`, or an object; see docs/error-handling.md.'),
  circuitBreaker: field
    .any()
    .optional()
    .aliases('circuit_breaker')
    .doc('When to pause because the sink keeps failing. Also allowed in the sink block.'),
  resilience: field
    .any()
    .optional()
    .doc('Named retries and circuit breakers, for `retryInstance` and `circuitBreakerInstance` of the sink.'),
  runtime: field.object(runtimeFields).optional().doc('Limits of the engine.'),
  globals: field.any().optional().doc('Values for `$$GLOBALS`, by name.'),
  collections: field
    .any()
    .optional()
    .doc('Collections for `$lookup`, by name: lists of documents, or paths of JSON Lines files.'),
  pipelines: field
    .any()
    .optional()
    .doc('Named lists of stages for `$subPipeline`: a list of `{name, version, stages}`, or an object by name.'),
  connections: field
    .any()
    .optional()
    .doc(
      'Connections for `connectionRef`: a list of `{connectionRef, config}`, or the path of a file with such a list.',
    ),
  stateStore: field.any().optional().ignored('offsets are kept by Kafka'),
  metrics: field.any().optional().ignored('`http` serves metrics'),
}
