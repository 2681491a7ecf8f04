/** The bounds within which options of the producer make sense. */
export const PRODUCER_LIMITS = {
  lingerMs: { min: 0, max: 3_600_000 },
  batchBytes: { min: 0, max: 0x3fffffff },
  maxInFlight: { min: 1, max: 1000 },
  maxRequestBytes: { min: 1024, max: 0x3fffffff },
  bufferBytes: { min: 1024, max: 2 ** 40 },
  deliveryTimeoutMs: { min: 1, max: 0x7fffffff },
  requestTimeoutMs: { min: 1, max: 0x7fffffff },
} as const

/** Time after which a coordinator aborts a transaction, unless the file says otherwise. */
export const TRANSACTION_TIMEOUT_MS = 60_000

/** The same under a name that was made up for a run: nothing else ends a transaction that it leaves open. */
export const UNIQUE_TRANSACTION_TIMEOUT_MS = 10_000

/** Up to this linger, the default, a record waits only while another request is under way. */
export const LINGER_OF_STREAMS_MS = 5

/** A leader remembers no more batches than these of an idempotent producer and a partition. */
export const MAX_IN_FLIGHT_IDEMPOTENT = 5
