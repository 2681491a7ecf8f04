/**
 * The producers of a `KafkaSink`: one with its settings, and others that share its connections, for calls with acks or a compression of
 * their own. A request has one `acks`, and a batch one codec, so such calls cannot share batches.
 */
import { TransactionError } from '../../errors/index.ts'
import type { Cluster } from '../../kafka/cluster/cluster.ts'
import { Producer } from '../../kafka/producer/producer.ts'
import type { WriteChoices } from './message.ts'
import type { SinkSettings } from './settings.ts'

export class Producers {
  /** The one with the settings of the sink. */
  readonly main: Producer
  readonly #cluster: Cluster
  readonly #settings: SinkSettings
  readonly #others = new Map<string, Producer>()

  constructor(cluster: Cluster, settings: SinkSettings) {
    this.#cluster = cluster
    this.#settings = settings
    this.main = new Producer(cluster, settings.producer, settings.transaction)
  }

  get all(): readonly Producer[] {
    return [this.main, ...this.#others.values()]
  }

  /**
   * The producer for a call. Others than `main` connect with their first write, and each has `bufferBytes` of its own.
   * @throws {TransactionError} for choices in a transaction
   */
  for({ acks, compression }: WriteChoices): Producer {
    const { producer, transaction } = this.#settings
    const chosen = { acks: acks ?? producer.acks, compression: compression ?? producer.compression }
    if (chosen.acks === producer.acks && chosen.compression === producer.compression) return this.main
    if (transaction !== undefined)
      throw new TransactionError(
        'Cannot choose acks or compression for a call in a transaction: set them for the whole sink',
        { fatal: false },
      )
    const name = `${chosen.acks} ${chosen.compression}`
    let other = this.#others.get(name)
    if (other === undefined) {
      const { acks: _, ...rest } = producer
      other = new Producer(this.#cluster, {
        ...rest,
        ...chosen,
        idempotence: producer.idempotence && chosen.acks === 'all',
        compressionLevel: chosen.compression === producer.compression ? producer.compressionLevel : undefined,
      })
      this.#others.set(name, other)
    }
    return other
  }
}
