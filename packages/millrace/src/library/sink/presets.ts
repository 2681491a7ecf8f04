/** The three settings that the stream processor's documentation recommends, to be spread into options. */

/**
 * Options of a `KafkaSink` for three purposes. Spread one, and set what differs:
 *
 * ```ts
 * const sink = new KafkaSink({ ...SINK_PRESETS.highThroughput, brokers: 'localhost:9092', topic: 'orders' })
 * ```
 */
export const SINK_PRESETS = {
  /** Large lz4 batches that wait up to 100 ms. Of its ten requests in flight, five are used while the sink is idempotent. */
  highThroughput: {
    batchSize: 10_000,
    lingerMs: 100,
    compressionType: 'lz4',
    bufferMemory: 67_108_864,
    maxInFlightRequests: 10,
  },
  /** Each record is sent by itself, uncompressed, as soon as the one before it is acknowledged. */
  lowLatency: {
    batchSize: 1,
    lingerMs: 0,
    compressionType: 'none',
    maxInFlightRequests: 1,
  },
  /** Transactions, and more patience. Set `transactionalId` to a name that no other running sink uses. */
  reliability: {
    enableIdempotence: true,
    enableTransactions: true,
    acks: 'all',
    maxRetries: 10,
    maxInFlightRequests: 1,
  },
} as const
