/** One broker in memory that leads every partition of topic `t` and answers Produce requests as a test wants. It is its own cluster. */
import { Cluster, type RequestOptions, type Target } from '../../src/kafka/cluster/cluster.ts'
import type { TopicMetadata } from '../../src/kafka/cluster/metadata-cache.ts'
import type { ApiCall } from '../../src/kafka/protocol/api-call.ts'
import type { ProducedPartition, ProduceRequest, ProduceResponse } from '../../src/kafka/protocol/produce.ts'

type Result = Partial<ProducedPartition>

export class EmulatedLeader extends Cluster {
  /** Produce requests, in order. */
  readonly requests: ProduceRequest[] = []
  /** What is answered to a request for each of its partitions; a promise may keep it waiting, and what it throws is thrown. */
  answer: (request: ProduceRequest, count: number) => Result | Promise<Result> = () => ({})
  /** Asked for with every partition that is to be sent; may throw. */
  onLeader: () => number = () => 1
  readonly #topic: TopicMetadata

  constructor(partitions = 1) {
    super({ bootstrapServers: ['127.0.0.1:1'], clientId: 'test', retryBackoffMs: 2, retryBackoffMaxMs: 5 })
    this.#topic = {
      name: 't',
      id: undefined,
      internal: false,
      partitions: Array.from({ length: partitions }, () => ({ leader: 1, leaderEpoch: 0 }) as never),
      fetchedAt: 0,
    }
  }

  override connect(): Promise<void> {
    return Promise.resolve()
  }
  override topic(): Promise<TopicMetadata> {
    return Promise.resolve(this.#topic)
  }
  override cachedTopic(): TopicMetadata {
    return this.#topic
  }
  override refresh(): Promise<void> {
    return Promise.resolve()
  }
  override leader(): number {
    return this.onLeader()
  }

  override async request<Q, R>(
    _target: Target,
    call: ApiCall<Q, R>,
    write: (version: number) => Q,
    _options: RequestOptions = {},
  ): Promise<R> {
    if (call.name === 'InitProducerId') return { errorCode: 0, producerId: 7, producerEpoch: 0 } as R
    const request = write(12) as ProduceRequest
    this.requests.push(request)
    const result = await this.answer(request, this.requests.length)
    const response: ProduceResponse = {
      throttleMs: 0,
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partition }) => ({ ...WRITTEN, partition, ...result })),
      })),
    }
    return response as R
  }
}

const WRITTEN: Omit<ProducedPartition, 'partition'> = {
  errorCode: 0,
  errorMessage: null,
  baseOffset: 0,
  logStartOffset: 0,
  recordErrors: [],
  leader: undefined,
}
