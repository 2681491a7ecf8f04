/**
 * A NestJS transport strategy over `KafkaSource` and `KafkaSink`:
 *
 * ```ts
 * const app = await NestFactory.createMicroservice(AppModule, {
 *   strategy: new KafkaServer({ source: { bootstrapServers: 'localhost:9092', groupId: 'billing' } }),
 * })
 * await app.listen()
 * ```
 *
 * A pattern of `@EventPattern` or `@MessagePattern` is a topic. A record counts as done when its handlers are done; one whose handler
 * fails is retried, and becomes a dead letter, as `process` says. Requests are answered at the topic that they name.
 */
import { BaseRpcContext, type CustomTransportStrategy, Server, type WritePacket } from '@nestjs/microservices'
import { type ConsumerRecord, KafkaSink, KafkaSource, type ProcessOptions } from 'millrace'
import { lastValueFrom } from 'rxjs'
import { CORRELATION_ID, ERROR, headerOf, IS_DISPOSED, parsed, REPLY_TOPIC } from './headers.ts'

/** What handlers get as `@Ctx()`. */
export class KafkaRecordContext extends BaseRpcContext<[record: ConsumerRecord]> {
  /** The record, with key, headers, partition and offset. */
  get record(): ConsumerRecord {
    return this.args[0]
  }
}

export interface KafkaServerOptions {
  /** Brokers and group; topics are the patterns of the handlers. */
  readonly source: { readonly bootstrapServers: string; readonly groupId: string }
  /** Concurrency, order, retry topics and dead letters. */
  readonly process?: ProcessOptions<Buffer, Buffer>
}

export class KafkaServer extends Server implements CustomTransportStrategy {
  readonly #options: KafkaServerOptions
  #source: KafkaSource | undefined
  #replies: KafkaSink | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(options: KafkaServerOptions) {
    super()
    this.#options = options
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    const { source, process } = this.#options
    this.#replies = new KafkaSink({ bootstrapServers: source.bootstrapServers })
    this.#source = new KafkaSource({ ...source, topics: [...this.messageHandlers.keys()] })
    try {
      await this.#source.open()
    } catch (error) {
      return callback(error)
    }
    this.#running = this.#source
      .process((record) => this.#handle(record), process)
      .catch((error: unknown) => {
        // The group goes on without this member; a supervisor should restart the process.
        this.handleError(error instanceof Error ? (error.stack ?? error.message) : String(error))
      })
    callback()
  }

  /** What was read is finished and committed. */
  async close(): Promise<void> {
    await this.#source?.close()
    await this.#running
    await this.#replies?.close()
  }

  on(): never {
    throw new Error('Listen to the source: server.unwrap().on(name, listener)')
  }

  /** The `KafkaSource`. */
  unwrap<T>(): T {
    return this.#source as T
  }

  async #handle(record: ConsumerRecord): Promise<void> {
    const { topic, value } = record
    const context = new KafkaRecordContext([record])
    const [correlationId, replyTopic] = [headerOf(record, CORRELATION_ID), headerOf(record, REPLY_TOPIC)]
    if (correlationId === undefined || replyTopic === undefined) return this.#handleAll(topic, parsed(value), context)
    const handler = this.getHandlerByPattern(topic)
    if (handler === null) return
    const replies = this.transformToObservable(await handler(parsed(value), context))
    // Resolves when the last reply is acknowledged: only then may the request be committed.
    await new Promise<unknown>((resolve) => {
      let written: Promise<unknown> = Promise.resolve()
      this.send(replies, (packet) => {
        written = Promise.all([written, this.#reply(packet, replyTopic, correlationId)])
        if (packet.isDisposed === true) resolve(written)
        return written
      })
    })
  }

  /** Event handlers of one topic are linked. Unlike `handleEvent`, this fails when one of them does, so that the record is retried. */
  async #handleAll(topic: string, data: unknown, context: KafkaRecordContext): Promise<void> {
    for (let handler = this.getHandlerByPattern(topic); handler; handler = handler.next ?? null) {
      const result: unknown = await handler(data, context)
      await lastValueFrom(this.transformToObservable(result), { defaultValue: undefined })
    }
  }

  async #reply({ response, err, isDisposed }: WritePacket, topic: string, correlationId: string): Promise<void> {
    await this.#replies!.send({
      topic,
      value: JSON.stringify(response ?? null),
      headers: {
        [CORRELATION_ID]: correlationId,
        ...(err === undefined || err === null ? {} : { [ERROR]: JSON.stringify(err) }),
        ...(isDisposed === true ? { [IS_DISPOSED]: '1' } : {}),
      },
    })
  }
}
