/** The type of the options of a `KafkaSource`. */
import type { FixedPartition, RebalanceListener } from '../../kafka/consumer/options.ts'
import type { Decoders, DecodersFor } from '../decoded-record.ts'
import type { OnDecodeError } from '../decode-policy.ts'
import type { AnyOf } from '../options/any-of.ts'
import type { Logger } from '../watching/logger.ts'
import type { SourceNames } from '../options/source.ts'

interface Names extends Omit<SourceNames, 'partitions'> {
  /** Partitions to read, and no others, without a group. In place of `topics`. */
  readonly partitions?: readonly FixedPartition[] | undefined
}

/**
 * Options of a `KafkaSource`: in camelCase, or as Kafka spells them (`'fetch.min.bytes'`). Keys and values are Buffers, unless `decode` makes
 * something else of them.
 */
export type KafkaSourceOptions<K = Buffer, V = Buffer> = Names &
  AnyOf<Names, 'topics' | 'topic' | 'partitions'> &
  AnyOf<Names, 'bootstrapServers' | 'bootstrap.servers' | 'brokers'> &
  DecodersFor<K, V> &
  RebalanceListener & {
    /** Makes keys and values of their bytes when they are first asked for. */
    readonly decode?: Decoders<K, V>
    /**
     * What is done with a record whose key or value cannot be decoded, in a loop over records and in `poll`: `fail` ends the loop with a
     * `DECODE_FAILED` that names the record, which is not acknowledged; `skip` reports it as a warning and counts it as done; a function
     * decides for each, and may send `raw` to another topic before. By default the error is thrown where the key or the value is read.
     * `process` has `onError`.
     */
    readonly onDecodeError?: OnDecodeError
    /** Logs what happens: a logger of pino, or `console`. */
    readonly logger?: Logger
    /** Called with messages about what is not an error, for instance a failed commit that will be tried again. */
    readonly onWarning?: (message: string, facts?: { readonly [name: string]: unknown }) => void
  }
