/** What a fetcher is passed, and what it reports. */
import type { ReadOptions } from './completed-fetch.ts'
import type { Warn } from '../options.ts'

export interface FetcherOptions extends ReadOptions {
  readonly isolation: 'read_uncommitted' | 'read_committed'
  /** `fetch.min.bytes` */
  readonly fetchMinBytes: number
  /** `fetch.max.wait.ms` */
  readonly fetchMaxWaitMs: number
  /** `fetch.max.bytes`: most that one request asks for. */
  readonly fetchMaxBytes: number
  /** `max.partition.fetch.bytes`: most that one request asks for of one partition. */
  readonly maxPartitionFetchBytes: number
  /** Bytes that may wait here, of all partitions together. */
  readonly bufferBytes: number
  /** `client.rack`, for reading from the closest replica (KIP-392). */
  readonly rackId?: string | undefined
  readonly requestTimeoutMs: number
}

export interface FetcherEvents {
  /** The position is not in the log, or in that of another topic of this name; or the log is another one from `divergesAt` on. Returns the position to go on with, undefined where the partition does not exist any more, or throws the error that ends the fetcher. */
  onPositionLost(topic: string, partition: number, position: number, divergesAt?: number): Promise<number | undefined>
  /** Called where `onPositionLost` has returned undefined: nothing more is fetched of the partition. */
  onPartitionGone?(topic: string, partition: number): void
  /** Reading goes on there, in the log of the topic with this id; everything before was taken. */
  onMoved(topic: string, partition: number, position: number, topicId: string | undefined): void
  /** A topic does not exist any more. Returns whether reading goes on without it: then its partitions have been removed; otherwise that ends the fetcher. */
  onTopicGone?(topic: string): boolean
  /** Something takes longer than usual, and why. */
  readonly warn: Warn
}
