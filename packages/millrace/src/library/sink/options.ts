/** The type of the options of a `KafkaSink`. */
import type { PartitionFunction } from '../../kafka/producer/partitioners.ts'
import type { InputOptions } from '../../options/declaration.ts'
import type { ConfigNames, KAFKA_SINK_FIELDS } from './fields.ts'
import type { MessageSerializer } from './serializers.ts'

type Known = InputOptions<typeof KAFKA_SINK_FIELDS>
type Servers = Known['bootstrapServers']

/**
 * Options of a `KafkaSink`: in camelCase, as Kafka spells them (`'linger.ms'`), or as the stream processor's `KafkaSinkConfig` does
 * (`linger_ms`, `lingerMs`).
 */
export type KafkaSinkOptions<T = Uint8Array | string> = Omit<Known, 'bootstrapServers' | 'partitioner'> &
  ConfigNames<Known> &
  (
    | { readonly bootstrapServers: Servers }
    | { readonly brokers: Servers }
    | { readonly 'bootstrap.servers': Servers }
  ) & {
    /** Any other property of Kafka's producers. */
    readonly [property: string]: unknown
    /** One of the named partitioners, or a function that gives the partition of a record. */
    readonly partitioner?: Known['partitioner'] | PartitionFunction
    /**
     * Turns values into bytes. Without one, bytes and text are written as they are, and everything else as JSON. A value that it wrote
     * gets a `content-type` header, unless the record has one.
     */
    readonly serializer?: MessageSerializer<T>
    /** Called with messages about what is not an error. */
    readonly onWarning?: (message: string) => void
  }
