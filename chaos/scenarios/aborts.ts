import { TransactionalWriter } from '../../packages/millrace/test/support/transactional-writer.ts'
import { keyOf, recordOf } from '../generator.ts'
import type { Run } from '../run.ts'
import { type Input, Integers } from '../input.ts'
import type { Scenario } from '../scenario.ts'

/** So little that a transaction does not fit into one fetch, while several small ones do. */
const SMALL_FETCH = { 'max.partition.fetch.bytes': 4096, 'fetch.max.bytes': 16_384 }

export const aborts: Scenario = {
  name: 'aborts',
  summary: 'input by producers that abort half of their transactions, small ones and ones that span fetches',
  bed: 'any',
  breaks: ['process'],
  input: (run) => new Transactions(run),
  async disturb(run) {
    const { random } = run.context
    const committed = { 'isolation.level': 'read_committed' }
    const workers = [
      run.worker('large-fetches', { source: committed }),
      run.worker('small-fetches', { source: { ...committed, ...SMALL_FETCH } }),
    ]
    for (const worker of workers) worker.start()
    while (run.goesOn) {
      await run.wait(random.between(1000, 4000))
      const worker = random.pick(workers)
      // The next one begins wherever the last commit was: in the midst of aborted records, too.
      await worker.kill()
      run.fault('kill', worker.name)
      worker.start()
    }
  },
}

/** Two producers whose transactions overlap in the same partitions; integers of aborted ones are not expected. */
class Transactions implements Input {
  readonly expected = new Integers()
  readonly #run: Run
  readonly #running: Promise<void>
  #isStopped = false
  #n = 0

  constructor(run: Run) {
    this.#run = run
    this.#running = this.#write()
    // Told by `stop`.
    this.#running.catch(() => {})
  }

  stop(): Promise<void> {
    this.#isStopped = true
    return this.#running
  }

  async #write(): Promise<void> {
    const { cluster, input, context } = this.#run
    await this.#run.reads()
    const producers = await Promise.all(['a', 'b'].map((name) => TransactionalWriter.open(cluster, `${input}-${name}`)))
    const open: number[][] = [[], []]
    while (!this.#isStopped) {
      const which = context.random.between(0, 1)
      await this.#append(producers[which]!, open[which]!)
      if (context.random.chance(0.4)) await this.#end(producers[which]!, open[which]!)
    }
    for (const [which, producer] of producers.entries()) await this.#end(producer, open[which]!)
  }

  /** A record batch of consecutive integers for each of some partitions; now and then a large one. */
  async #append(producer: TransactionalWriter, open: number[]): Promise<void> {
    const { context } = this.#run
    const { random } = context
    const numbers = Array.from({ length: random.chance(0.1) ? 500 : random.between(1, 20) }, () => ++this.#n)
    open.push(...numbers)
    const { partitions } = context.setting
    const byPartition = Map.groupBy(numbers, (n) => Number(keyOf(n).slice(1)) % partitions)
    for (const [partition, some] of byPartition) {
      await producer.write(
        this.#run.input,
        partition,
        some.map((n) => recordOf(n)),
      )
    }
  }

  async #end(producer: TransactionalWriter, open: number[]): Promise<void> {
    if (open.length === 0) return
    if (this.#run.context.random.chance(0.5)) {
      await producer.commit()
      for (const n of open) this.expected.add(n)
    } else {
      await producer.abort()
      this.#run.count('aborted-transaction')
    }
    open.length = 0
  }
}
