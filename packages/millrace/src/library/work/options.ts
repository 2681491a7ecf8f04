/** What `KafkaSource.process` is given. */
import type { ConsumerRecord } from '../../records/record.ts'

/** What a handler learns beside its record. */
export interface RecordContext {
  /** Fires when the result no longer counts: the partition was lost, or the time to finish is over. */
  readonly signal: AbortSignal
  /** 1 for the first attempt; attempts in retry topics count on. */
  readonly attempt: number
  /** Where the record was first; differs from the record itself in a retry topic. */
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: bigint }
}

/** Works on one record; it is done when the promise is fulfilled. */
export type RecordHandler<K, V> = (record: ConsumerRecord<K, V>, context: RecordContext) => unknown

/** What is done with a record that has failed for good. */
export type FailureAction = 'fail' | 'skip'

/** A topic in which records wait for another attempt. */
export type RetryTopic = string | { readonly topic: string; readonly delayMs: number }

/** What happens to a record whose handler has failed, from the first further attempt to the dead letter. */
export interface RetryOptions {
  /** Further attempts at once, while the records behind it in its order wait. By default none. */
  readonly attempts?: number | undefined
  /** Wait before the first of them, in milliseconds; doubles each time. 100 by default. */
  readonly backoffMs?: number | undefined
  /**
   * Topics to which a record goes after that, one for each further attempt. The delay is in the name, as in `orders.retry.5s`, or beside
   * it. They are read by the same call, each with the group `GROUP.TOPIC`. Records behind a record that went there are not held up, so its
   * order is lost.
   */
  readonly topics?: readonly RetryTopic[] | undefined
  /** Topic to which it goes in the end, with the reason in its headers; `millrace deadletter replay` reads it. */
  readonly deadLetter?: string | undefined
}

/** Options of `KafkaSource.process`. */
export interface ProcessOptions<K, V> {
  /** Ends as `close` does: no new record is started, and those that are under way may finish. */
  readonly signal?: AbortSignal | undefined
  /** How many handlers may run at a time. 1 by default. */
  readonly concurrency?: number | undefined
  /**
   * What is handled one after the other: the records of a `partition` (default), those of a partition with the same `key`, or `none`. Records
   * without a key have no order among keys.
   */
  readonly orderBy?: 'partition' | 'key' | 'none' | undefined
  /** What is tried with a record that failed, and where it goes then. Without it there is one attempt. */
  readonly retry?: RetryOptions | undefined
  /**
   * What is done with a record whose attempts are used up, if there is no dead letter topic: `fail` (default) ends the call with the error and
   * leaves the record uncommitted; `skip` counts it as done. A function is asked for each record, dead letters included.
   */
  readonly onError?:
    | FailureAction
    | ((
        error: unknown,
        record: ConsumerRecord<K, V>,
      ) => FailureAction | 'deadLetter' | Promise<FailureAction | 'deadLetter'>)
    | undefined
  /** How long handlers may take to finish when it ends, in milliseconds. 30 s by default, `Infinity` for as long as it takes; then their `signal` fires, and their records are read again. */
  readonly drainTimeoutMs?: number | undefined
}
