/**
 * A transaction coordinator in memory, with the state table of Kafka's `TransactionCoordinator` for both versions, whose answers
 * and requests can be lost. It is its own cluster: nothing is connected.
 */
import { ConnectionError } from '../../src/errors/index.ts'
import { Cluster, type RequestOptions, type Target } from '../../src/kafka/cluster/cluster.ts'
import type { ApiCall } from '../../src/kafka/protocol/api-call.ts'
import type { EndTxnRequest } from '../../src/protocol/messages/end-txn.ts'
import type { InitProducerIdRequest } from '../../src/protocol/messages/init-producer-id.ts'
import { sleep } from '../../src/resilience/retry.ts'

type State = 'Empty' | 'Ongoing' | 'CompleteCommit' | 'CompleteAbort'

const INVALID_PRODUCER_EPOCH = 47
const INVALID_TXN_STATE = 48
const INVALID_PRODUCER_ID_MAPPING = 49

/** What happens to a request: it never arrives, it is done and the answer is lost, nothing can be reached, or it never ends. */
export type Fault = 'request lost' | 'answer lost' | 'unreachable' | 'hangs'

export class EmulatedCoordinator extends Cluster {
  state: State = 'Empty'
  id = 1000
  epoch = -1
  /** Names of the requests that were answered or done, in order; EndTxn as `commit` or `abort`. */
  readonly done: string[] = []
  /** By name of the request: what happens to the next ones. */
  readonly faults = new Map<string, Fault[]>()
  readonly #version: 1 | 2
  #lastEpoch = -1

  constructor(version: 1 | 2, apiTimeoutMs = 200) {
    super({
      bootstrapServers: ['127.0.0.1:1'],
      clientId: 'test',
      apiTimeoutMs,
      retryBackoffMs: 5,
      retryBackoffMaxMs: 20,
    })
    this.#version = version
  }

  /** As a coordinator does with a name under which nothing was written for long. */
  forget(): void {
    this.state = 'Empty'
    this.id++
    this.epoch = -1
    this.#lastEpoch = -1
  }

  override coordinator(): Promise<number> {
    return Promise.resolve(1)
  }

  override feature(): Promise<number> {
    return Promise.resolve(this.#version === 2 ? 2 : 0)
  }

  override async request<Q, R>(
    _target: Target,
    call: ApiCall<Q, R>,
    write: (version: number) => Q,
    { signal }: RequestOptions = {},
  ): Promise<R> {
    const fault = this.faults.get(call.name)?.shift()
    if (fault === 'unreachable') throw new ConnectionError('BROKER_UNREACHABLE', 'Nothing listens')
    const written = write(0)
    if (fault === 'hangs') await sleep(60_000, signal)
    if (fault === 'request lost') throw new ConnectionError('BROKER_DISCONNECTED', 'The connection broke')
    const answer = this.#answer(call.name, written)
    if (fault === 'answer lost') throw new ConnectionError('REQUEST_TIMED_OUT', 'No answer came')
    return answer as R
  }

  #answer(name: string, written: unknown): object {
    switch (name) {
      case 'InitProducerId': {
        const { producerId = -1, producerEpoch = -1 } = written as InitProducerIdRequest
        this.done.push('init')
        return this.#initialize(producerId, producerEpoch)
      }
      case 'AddPartitionsToTxn':
        this.done.push('add')
        this.state = 'Ongoing'
        return { resultsByTopicV3AndBelow: [] }
      case 'EndTxn': {
        const { producerId, producerEpoch, committed } = written as EndTxnRequest
        this.done.push(committed ? 'commit' : 'abort')
        return this.#end(producerId, producerEpoch, committed)
      }
      default:
        throw new Error(`No answer to ${name}`)
    }
  }

  /** KIP-360: the epoch before is taken for a repetition. */
  #initialize(id: number, epoch: number): object {
    const isFirst = id < 0 || this.epoch === -1
    if (!isFirst && epoch !== this.epoch && epoch !== this.#lastEpoch) return { errorCode: INVALID_PRODUCER_EPOCH }
    if (isFirst || epoch === this.epoch) {
      this.#lastEpoch = this.epoch
      this.epoch++
    }
    if (this.state === 'Ongoing') this.state = 'CompleteAbort'
    return { errorCode: 0, producerId: this.id, producerEpoch: this.epoch }
  }

  #end(id: number, epoch: number, isCommit: boolean): object {
    const complete = isCommit ? 'CompleteCommit' : 'CompleteAbort'
    if (id !== this.id) return { errorCode: INVALID_PRODUCER_ID_MAPPING }
    const isRepeated = this.#version === 2 && epoch === this.epoch - 1 && this.state.startsWith('Complete')
    if (epoch !== this.epoch && !isRepeated) return { errorCode: INVALID_PRODUCER_EPOCH }
    if (this.#version === 1) {
      if (this.state === 'Ongoing') this.state = complete
      return { errorCode: this.state === complete ? 0 : INVALID_TXN_STATE, producerId: -1, producerEpoch: -1 }
    }
    if (isRepeated ? this.state !== complete : isCommit && this.state !== 'Ongoing')
      return { errorCode: INVALID_TXN_STATE }
    if (!isRepeated) {
      this.state = complete
      this.#lastEpoch = this.epoch++
    }
    return { errorCode: 0, producerId: this.id, producerEpoch: this.epoch }
  }
}
