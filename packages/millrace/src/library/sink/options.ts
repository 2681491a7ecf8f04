/** The type of the options of a `KafkaSink`. */
import type { PartitionFunction } from '../../kafka/producer/partitioners.ts'
import type { AnyOf } from '../options/any-of.ts'
import type { SinkNames } from '../options/sink.ts'
import type { Logger } from '../watching/logger.ts'
import type { MessageSerializer } from './serializers.ts'

/**
 * Options of a `KafkaSink`: in camelCase, as Kafka spells them (`'linger.ms'`), or as the stream processor's `KafkaSinkConfig` does
 * (`linger_ms`, `lingerMs`).
 */
export type KafkaSinkOptions<T = Uint8Array | string> = Omit<SinkNames, 'partitioner'> &
  AnyOf<SinkNames, 'bootstrapServers' | 'bootstrap.servers' | 'brokers'> & {
    /** One of the named partitioners, or a function that gives the partition of a record. */
    readonly partitioner?: SinkNames['partitioner'] | PartitionFunction
    /**
     * Turns values into bytes. Without one, bytes and text are written as they are, and everything else as JSON. A value that it wrote
     * gets a `content-type` header, unless the record has one.
     */
    readonly serializer?: MessageSerializer<T>
    /** Logs what happens: a logger of pino, or `console`. */
    readonly logger?: Logger
    /** Called with messages about what is not an error. */
    readonly onWarning?: (message: string, facts?: { readonly [name: string]: unknown }) => void
  }
