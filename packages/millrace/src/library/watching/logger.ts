/** Loggers of programs. */

/** Where a `KafkaSource` or `KafkaSink` logs. A logger of pino is one, and so is `console`. */
export interface Logger {
  /** Called only where `isLevelEnabled` says that it is worth it, as there may be a message for each batch. */
  debug(facts: object, message: string): void
  /** What an operator may want to know, such as a rebalance. */
  info(facts: object, message: string): void
  /** What an operator should know. */
  warn(facts: object, message: string): void
  /** What went wrong for good. */
  error(facts: object, message: string): void
  /** Of pino. Without it there are no messages of the level `debug`. */
  isLevelEnabled?(level: string): boolean
}
