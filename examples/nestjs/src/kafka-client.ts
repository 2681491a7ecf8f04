/**
 * A NestJS client over `KafkaSink` and `KafkaSource`: `emit` writes an event, `send` writes a request and reads its replies.
 *
 * ```ts
 * const client = new KafkaClient({ bootstrapServers: 'localhost:9092', replyTopic: 'billing.replies' })
 * const total = await firstValueFrom(client.send<number>('orders.total', { customer: 7 }))
 * ```
 *
 * Each client reads its own replies from the end of the reply topic, without a group, so instances do not wait for a rebalance.
 */
import { randomUUID } from 'node:crypto'
import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices'
import { KafkaSink, KafkaSource, type SinkRecord } from 'millrace'
import { CORRELATION_ID, ERROR, headerOf, IS_DISPOSED, parsed, REPLY_TOPIC } from './headers.ts'

export interface KafkaClientOptions {
  readonly bootstrapServers: string
  /** Topic of the replies; needed for `send` only. It must exist. */
  readonly replyTopic?: string
}

export class KafkaClient extends ClientProxy {
  readonly #options: KafkaClientOptions
  readonly #sink: KafkaSink
  /** By correlation id. */
  readonly #waiting = new Map<string, (packet: WritePacket) => void>()
  #connecting: Promise<void> | undefined
  #replies: KafkaSource | undefined

  constructor(options: KafkaClientOptions) {
    super()
    this.#options = options
    this.#sink = new KafkaSink({ bootstrapServers: options.bootstrapServers })
  }

  connect(): Promise<void> {
    return (this.#connecting ??= this.#connect())
  }

  async #connect(): Promise<void> {
    const { bootstrapServers, replyTopic } = this.#options
    await this.#sink.open()
    if (replyTopic === undefined) return
    const replies = new KafkaSource({ bootstrapServers, topics: replyTopic, autoOffsetReset: 'latest' })
    this.#replies = replies
    await replies.open()
    const reading = this.#read(replies)
    // Requests wait until the end of the topic is known: no reply may come before.
    const isPlaced = (): boolean =>
      replies.status()?.partitions.every(({ position }) => position !== undefined) === true
    while (!isPlaced()) await Promise.race([new Promise((resolve) => setTimeout(resolve, 10)), reading])
  }

  async #read(replies: KafkaSource): Promise<void> {
    for await (const record of replies) {
      const id = headerOf(record, CORRELATION_ID)
      const callback = id === undefined ? undefined : this.#waiting.get(id)
      if (callback === undefined) continue
      const error = headerOf(record, ERROR)
      const isDisposed = headerOf(record, IS_DISPOSED) !== undefined
      const response = parsed(record.value)
      callback({
        ...(error === undefined ? {} : { err: JSON.parse(error) as unknown }),
        ...(isDisposed && response === null ? {} : { response }),
        isDisposed,
      })
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#sink.close(), this.#replies?.close()])
  }

  /** The `KafkaSink`. */
  unwrap<T>(): T {
    return this.#sink as T
  }

  protected async dispatchEvent<T>({ pattern, data }: ReadPacket): Promise<T> {
    return (await this.#sink.send({ topic: this.normalizePattern(pattern), ...recordOf(data) })) as T
  }

  protected publish({ pattern, data }: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const { replyTopic } = this.#options
    if (replyTopic === undefined) throw new Error('Cannot send a request without replyTopic: set it, or use emit')
    const id = randomUUID()
    this.#waiting.set(id, callback)
    const headers = { [CORRELATION_ID]: id, [REPLY_TOPIC]: replyTopic }
    void this.#request({ topic: this.normalizePattern(pattern), ...recordOf(data), headers }, callback)
    return () => this.#waiting.delete(id)
  }

  /** Never rejects: the caller is told. */
  async #request(record: SinkRecord<string>, callback: (packet: WritePacket) => void): Promise<void> {
    try {
      await this.#sink.send(record)
    } catch (err) {
      callback({ err, isDisposed: true })
    }
  }
}

/** `{ key, value }` with a text as key is a record; anything else is a value. */
function recordOf(data: unknown): { readonly key?: string; readonly value: string } {
  const isRecord = typeof data === 'object' && data !== null && 'key' in data && 'value' in data
  return isRecord && typeof data.key === 'string'
    ? { key: data.key, value: JSON.stringify(data.value) }
    : { value: JSON.stringify(data) }
}
