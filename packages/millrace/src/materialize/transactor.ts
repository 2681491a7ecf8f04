/**
 * Publishes stored documents, and confirms a transaction when all of them are acknowledged.
 *
 * Documents are passed to the producer as they come, a batch per stretch of one binding. A commit waits for every one of them;
 * the first failure fails it, and from then on nothing more is written (I6).
 */
import { ProtocolViolationError } from '../errors/index.ts'
import { inBackground } from '../resilience/background.ts'
import { Deliveries } from './deliveries.ts'
import type { OpenProducer } from './kafka.ts'
import { BATCH_BYTES, BatchBuilder } from './records/batch-builder.ts'
import type { RecordEncoder } from './records/record-encoder.ts'
import type { StoredDocument } from './wire/stored-document.ts'
import { withContext } from './with-context.ts'

/** Bytes of records that were passed on and are not acknowledged, after which no more input is read. */
const MAX_PENDING_BYTES = 16 << 20
/** Room for a batch, and for the record that fills it up. */
const BUFFER_BYTES = BATCH_BYTES + (32 << 10)
const MAX_FREE_BUFFERS = 32

export class Transactor {
  readonly #open: OpenProducer
  /** By binding. */
  readonly #topics: readonly string[]
  readonly #makeEncoders: () => Promise<readonly RecordEncoder[]>
  #encoders: readonly RecordEncoder[] = []
  readonly #deliveries = new Deliveries()
  readonly #free: Buffer[] = []
  readonly #builder = new BatchBuilder(Buffer.allocUnsafeSlow(BUFFER_BYTES))
  /** Of the records in the builder. */
  #binding = 0
  #stored = 0

  /** @param topics by binding */
  constructor(open: OpenProducer, topics: readonly string[], makeEncoders: () => Promise<readonly RecordEncoder[]>) {
    this.#open = open
    this.#topics = topics
    this.#makeEncoders = makeEncoders
  }

  /** To be called once, before the first document. @throws {ConnectionError} {RegistryError} when schemas cannot be registered */
  async prepare(): Promise<void> {
    this.#encoders = await this.#makeEncoders()
  }

  /** Documents stored since the session was opened. */
  get stored(): number {
    return this.#stored
  }

  /** Takes one document. Does not wait: call `pause` now and then. @throws {ProtocolViolationError} {EncodeError} */
  store(document: StoredDocument): void {
    const { binding } = document
    const encoder = this.#encoders[binding] ?? this.#noBinding(binding)
    this.#stored++
    if (this.#deliveries.failure !== undefined) return
    if (binding !== this.#binding) {
      this.#pass()
      this.#binding = binding
    }
    encoder.encode(document, this.#builder)
    if (this.#builder.isFull) this.#pass()
  }

  #noBinding(binding: number): never {
    throw new ProtocolViolationError(
      `Cannot store a document of binding ${binding} as the materialization has ${this.#topics.length} bindings`,
    )
  }

  /** Passes on what was stored, and waits while too much is not acknowledged. */
  async pause(): Promise<void> {
    this.#pass()
    await this.#deliveries.atMost(MAX_PENDING_BYTES)
  }

  /**
   * Waits until every document is acknowledged.
   * @throws {MillraceError} the first failure of all, as soon as it is known (I6)
   */
  async commit(): Promise<void> {
    this.#pass()
    // Nothing more will come, so what waits for it is sent now. What fails is reported to the calls that wrote.
    inBackground(this.#open.producer.flush(), () => {})
    await this.#deliveries.atMost(0)
    const { failure } = this.#deliveries
    if (failure !== undefined) throw failure
  }

  /** Closes the connections at once. What is not acknowledged may be written or not: its transaction will be repeated. */
  async close(): Promise<void> {
    await this.#open.producer.close(AbortSignal.abort())
    await this.#open.cluster.close()
  }

  #pass(): void {
    if (this.#builder.count === 0) return
    const index = this.#binding
    const topic = this.#topics[index]!
    const buffer = this.#builder.text.bytes
    const batch = this.#builder.take(topic, this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES))
    this.#deliveries.track(
      this.#open.producer.writeBatch(batch, { topic }),
      buffer.length,
      (failure) => withContext(`Message delivery failed for topic '${topic}' (binding ${index})`, failure),
      () => {
        if (buffer.length === BUFFER_BYTES && this.#free.length < MAX_FREE_BUFFERS) this.#free.push(buffer)
      },
    )
  }
}
