/** What a linear file may say at its top level. */
import { field } from '../../options/fields.ts'
import { deliveryFields } from '../delivery.ts'

const runtimeFields = {
  queueCapacity: field
    .int({ min: 1 })
    .optional()
    .doc(
      'Batches that may be on their way to the sink at the same time, beside the bound of 16 MiB that always holds.',
    ),
  sourceQueueCapacity: field
    .int({ min: 1 })
    .optional()
    .doc('Batches that may wait between source and stages; the `queueCapacity` of the source.'),
  microBatchSize: field
    .int({ min: 1 })
    .optional()
    .doc('Most records that stages such as `$group` see at once. Without such stages it has no effect.'),
  workerThreadPoolSize: field
    .int({ min: 1 })
    .optional()
    .always(1, 'a pipeline runs in one thread and keeps the order')
    .doc('Threads for the stages; always 1.'),
  directHandoff: field
    .boolean()
    .optional()
    .always(true, 'batches go from stage to stage without a queue')
    .doc('Whether batches go from stage to stage without a queue; always so.'),
}

/** The top level of a file. */
export const pipelineFields = {
  name: field
    .string()
    .optional()
    .aliases('pipelineId')
    .doc('Name of the pipeline; by default that of the file. Part of client ids and log lines.'),
  description: field.any().optional().doc('What the pipeline is for; text or a list of lines.'),
  source: field.any().optional().doc('Where records come from: `type`, and its options under `options` or beside it.'),
  stages: field
    .any()
    .optional()
    .aliases('pipeline')
    .doc('Steps in order, each an object with one key such as `$match` or `filter.apply`; may be empty.'),
  sink: field
    .any()
    .optional()
    .doc(
      'Where records go: `type`, and its options under `options` or beside it. With `fanout`, a list of sinks, each record goes to all of them, one after the other.',
    ),
  ...deliveryFields,
  errorPolicy: field
    .any()
    .optional()
    .aliases('error_handling')
    .doc('What happens when a record fails: `fail` (the default), `skip`, or an object; see docs/error-handling.md.'),
  circuitBreaker: field
    .any()
    .optional()
    .aliases('circuit_breaker')
    .doc('When deliveries pause because the sink keeps failing; also in the sink block.'),
  resilience: field
    .any()
    .optional()
    .doc('Retries and circuit breakers with names, for `retryInstance` and `circuitBreakerInstance` of the sink.'),
  runtime: field.object(runtimeFields).optional().doc('Limits of the engine.'),
  globals: field.any().optional().doc('Values for `$$GLOBALS`, by name.'),
  collections: field
    .any()
    .optional()
    .doc('Collections for `$lookup`, by name: lists of documents, or paths of files of JSON lines.'),
  pipelines: field
    .any()
    .optional()
    .doc('Lists of stages with a name for `$subPipeline`: a list of `{name, version, stages}`, or an object by name.'),
  connections: field
    .any()
    .optional()
    .doc('Connections for `connectionRef`: a list of `{connectionRef, config}`, or the path of a file that holds it.'),
  stateStore: field.any().optional().ignored('offsets are kept by Kafka'),
  metrics: field.any().optional().ignored('it is not supported yet'),
}
