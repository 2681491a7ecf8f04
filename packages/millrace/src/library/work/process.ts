/**
 * What `KafkaSource.process` runs: workers for the topics of the source, workers for each retry topic, and the sink to which failed
 * records go. One of them that fails ends the others.
 */
import { ConfigError } from '../../errors/index.ts'
import type { FailureLog } from '../../engine/watching/failure-log.ts'
import type { Consumer } from '../../kafka/consumer/consumer.ts'
import type { Decoders } from '../decoded-record.ts'
import type { KafkaSink } from '../kafka-sink.ts'
import type { Loops } from '../loops.ts'
import type { ReadTimes } from '../watching/read-times.ts'
import type { Processor } from '../../telemetry/batch-span.ts'
import { FailurePolicy, retrySteps, type Send } from './failure-policy.ts'
import type { ProcessOptions, RecordHandler } from './options.ts'
import { Workers } from './workers.ts'

/** What a source offers to `process`. */
export interface ProcessedSource<K, V> {
  readonly groupId: string | undefined
  /** For spans. */
  readonly processor: Processor
  readonly untilEnd: boolean
  readonly loops: Loops
  readonly reads: ReadTimes
  /** Keeps what failed. */
  readonly failures: FailureLog
  readonly decode: Decoders<K, V> | undefined
  readonly maxBatchRecords: number | undefined
  /** Fires when the source is closed. */
  readonly closing: AbortSignal
  /** Connects; undefined when reading is to stop before. */
  open(stop: AbortSignal): Promise<Consumer | undefined>
  /** A source of another topic, with a group of its own. */
  retrySource(topic: string): ProcessedSource<K, V>
  /** A sink on the same brokers. */
  createSink(): KafkaSink
  close(): Promise<void>
}

/** @throws {ConfigError} for options that cannot be used */
function check<K, V>(
  { concurrency = 1, drainTimeoutMs = 0, retry, onError }: ProcessOptions<K, V>,
  source: ProcessedSource<K, V>,
): void {
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new ConfigError(
      `Cannot process records as concurrency must be a whole number of at least 1: it is ${concurrency}`,
    )
  if (!(drainTimeoutMs >= 0))
    throw new ConfigError(`Cannot process records as drainTimeoutMs must be at least 0: it is ${drainTimeoutMs}`)
  if (retry?.topics !== undefined && retry.topics.length > 0 && source.groupId === undefined)
    throw new ConfigError('Cannot use retry topics without a groupId, as they are read by groups: set groupId')
  if (retry?.deadLetter !== undefined && typeof onError === 'string')
    throw new ConfigError(
      `Cannot use both onError "${onError}" and a dead letter topic: delete one, or write a function`,
    )
}

export async function processAll<K, V>(
  source: ProcessedSource<K, V>,
  handler: RecordHandler<K, V>,
  options: ProcessOptions<K, V>,
): Promise<void> {
  check(options, source)
  const steps = retrySteps(options.retry?.topics)
  const over = new AbortController()
  const stop = AbortSignal.any([source.closing, over.signal, ...(options.signal === undefined ? [] : [options.signal])])
  let sink: KafkaSink | undefined
  const send: Send = (record) => (sink ??= source.createSink()).send(record)
  const retrying: ProcessedSource<K, V>[] = []
  const run = (each: ProcessedSource<K, V>, step: number): Promise<void> => {
    const failures = new FailurePolicy(options, steps[step], send, source.groupId ?? 'none', each.failures)
    return work(each, handler, options, failures, stop, steps[step - 1]?.delayMs)
  }
  const runRetries = (step: number): Promise<void> => {
    const each = source.retrySource(steps[step - 1]!.topic)
    retrying.push(each)
    return run(each, step)
  }
  try {
    if (source.untilEnd) {
      // Each one leaves its last records for the next.
      await run(source, 0)
      for (let step = 1; step <= steps.length; step++) await runRetries(step)
    } else await together([() => run(source, 0), ...steps.map((_, i) => () => runRetries(i + 1))], over)
  } finally {
    await Promise.all(retrying.map((each) => each.close()))
    await sink?.close()
  }
}

/** Runs all of them; the first that ends, ends the others. @throws what the first one threw */
async function together(works: readonly (() => Promise<void>)[], over: AbortController): Promise<void> {
  const failures: unknown[] = []
  await Promise.all(
    works.map(async (start) => {
      try {
        await start()
      } catch (error) {
        failures.push(error)
      } finally {
        over.abort()
      }
    }),
  )
  if (failures.length > 0) throw failures[0]
}

async function work<K, V>(
  source: ProcessedSource<K, V>,
  handler: RecordHandler<K, V>,
  options: ProcessOptions<K, V>,
  failures: FailurePolicy<K, V>,
  stop: AbortSignal,
  retryDelayMs: number | undefined,
): Promise<void> {
  const consumer = await source.open(stop)
  if (consumer === undefined) return
  const { loops, reads, decode, maxBatchRecords, processor } = source
  const { concurrency, orderBy, drainTimeoutMs } = options
  const workers = new Workers<K, V>({
    consumer,
    reads,
    handler,
    decode,
    failures,
    stop,
    maxBatchRecords,
    processor,
    retryDelayMs,
    concurrency,
    orderBy,
    drainTimeoutMs,
  })
  loops.begin(workers)
  try {
    await workers.run()
  } finally {
    loops.end(workers)
  }
}
