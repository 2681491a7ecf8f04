/** Key of what `KafkaSource` offers to `serve` and nobody else. */
export const FOR_WATCHING: unique symbol = Symbol('millrace.for-watching')
