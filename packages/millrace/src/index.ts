/**
 * Millrace: Kafka sources, sinks and pipelines. This is all that a program may import.
 */
export { KafkaSource } from './library/kafka-source.ts'
export type { PollOptions } from './library/poll-loop.ts'
export type { KafkaSourceOptions } from './library/source/options.ts'
export type {
  FailureAction,
  ProcessOptions,
  RecordContext,
  RecordHandler,
  RetryOptions,
  RetryTopic,
} from './library/work/options.ts'
export { type Decoders } from './library/decoded-record.ts'
export type { DecodeAction, OnDecodeError } from './library/decode-policy.ts'
export { exactlyOnce, type ExactlyOnceOptions, type Transaction } from './library/exactly-once.ts'
export { KafkaSink, type SendResult, type WriteOptions } from './library/kafka-sink.ts'
export type { KafkaSinkOptions } from './library/sink/options.ts'
export { DeliveryGuarantee, PartitionStrategy } from './library/sink/fields.ts'
export { type SinkHeaders, SinkMessage, type SinkRecord, type WriteChoices } from './library/sink/message.ts'
export { SINK_PRESETS } from './library/sink/presets.ts'
export { JsonSerializer, type MessageSerializer } from './library/sink/serializers.ts'
export { BincodeDeserializer, BincodeSerializer, type BincodeType } from './library/sink/bincode.ts'
export {
  SchemaDeserializer,
  type SchemaDeserializerOptions,
  type DeserializeOptions,
  type HeadedValue,
  SchemaSerializer,
  type SchemaSerializerOptions,
  type WrittenReference,
} from './library/schema-serializers.ts'
export type { SinkMetrics } from './library/sink/statistics.ts'
export type { SourceMetrics } from './library/source/statistics.ts'
export type { EventSource, Listener } from './library/watching/client-events.ts'
export type { Logger } from './library/watching/logger.ts'
export type { SinkEvents } from './library/watching/sink-events.ts'
export type { ClientEventFacts, SourceEvents } from './library/watching/source-events.ts'
export { type HttpServer, serve, type ServeOptions } from './library/serve.ts'
export type { ServedPipeline, ServedSink, ServedSource } from './library/watching/program-pipeline.ts'
export type { PartitionStatus, SourceStatus, TopicTotals } from './contracts/source.ts'
export { Admin, type AdminOptions } from './library/admin.ts'
export type {
  GroupDescription,
  GroupListing,
  GroupMemberDescription,
  GroupOffset,
  NewTopic,
  PartitionDescription,
  ResetOffset,
  ResetOffsetsOptions,
  TopicConfig,
  TopicDescription,
  TopicOffsets,
} from './kafka/admin/contract.ts'
export { Batch, type BatchOrigin, type LocatedRecords } from './records/batch.ts'
export type { ConsumerRecord, DeliveryReport, Header, ProducerRecord, TimestampType } from './records/record.ts'
export type { DeliveryReports } from './kafka/producer/reports.ts'
export type { TopicPartition } from './kafka/topic-partition.ts'
export type { Position } from './kafka/consumer/assignment/positions.ts'
export type { FixedPartition, RebalanceControls, RebalanceListener } from './kafka/consumer/options.ts'
export type { ConsumerProgress, PartitionLag } from './kafka/consumer/progress.ts'
export type { PartitionFunction } from './kafka/producer/partitioners.ts'
export type { OauthToken, OauthTokenProvider } from './kafka/security/oauth/oauth-token.ts'
export * from './errors/index.ts'
