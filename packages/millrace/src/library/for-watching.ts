/** Key of what `KafkaSource` and `KafkaSink` offer to `serve`, and to nothing else. */
export const FOR_WATCHING: unique symbol = Symbol('millrace.for-watching')
