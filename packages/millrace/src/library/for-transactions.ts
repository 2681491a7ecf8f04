/** Key of what `KafkaSource` and `KafkaSink` offer to `exactlyOnce` and nobody else. */
export const FOR_TRANSACTIONS: unique symbol = Symbol('millrace.for-transactions')
