import { isMillraceError, KafkaSink } from '../../packages/millrace/src/index.ts'
import { integersOf } from '../bursts.ts'
import { recordOf } from '../generator.ts'
import type { Run } from '../run.ts'
import { type Input, Integers } from '../input.ts'
import type { Scenario } from '../scenario.ts'

const LARGEST = 40
/** A commit is given up after so long, before the request is sent or while its answer is on its way. */
const LONGEST_COMMIT_MS = 300
const LONGEST_DOWN_MS = 4000

export const abortUnknown: Scenario = {
  name: 'abort-unknown',
  summary:
    'a program gives commits up, aborts and writes again, while answers are lost and brokers unreachable; pipelines copy',
  bed: 'proxied',
  breaks: ['connection'],
  allowed: { delivery: ['at_least_once', 'exactly_once'] },
  input: (run) => new Undecided(run),
  async disturb(run) {
    const { random, bed } = run.context
    const patience = { 'request.timeout.ms': 2000 }
    const quick = { source: patience, sink: { ...patience, 'max.block.ms': 3000 } }
    await run.firstTransaction()
    run.worker('one', { source: { 'isolation.level': 'read_committed' }, quick }).start()
    await run.works()
    while (run.goesOn) {
      const proxy = random.pick(bed.proxies)
      const isSilent = random.chance(0.5)
      let isLost = false
      // Whichever broker coordinates.
      for (const each of bed.proxies)
        void each.loseAnswer('EndTxn', isSilent ? 'silence' : 'cut').then(() => (isLost = true))
      await run.until('an answer was lost', () => isLost || !run.goesOn)
      for (const each of bed.proxies) each.keepAnswers('EndTxn')
      if (isLost) run.fault('EndTxn-lost', isSilent ? 'silence' : 'cut')
      if (random.chance(0.5)) {
        await proxy.down()
        run.fault('down')
        // Up again whatever the time is.
        await run.sleep(random.between(100, LONGEST_DOWN_MS))
        await proxy.up()
      }
      await run.wait(random.between(0, 1000))
    }
  },
}

/**
 * Transactions of consecutive integers. When an abort succeeds, nothing of the transaction may be visible, and the same
 * integers are written again; when it says that the commit
 * happened, all of it must be there; when it fails otherwise, it is not known, and they may be there once or not at all.
 */
class Undecided implements Input {
  expected = new Integers()
  readonly #run: Run
  readonly #running: Promise<void>
  readonly #committed = new Integers()
  #isStopped = false
  #n = 0

  constructor(run: Run) {
    this.#run = run
    this.#running = this.#write()
    // Reported by `stop`.
    this.#running.catch(() => {})
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
    this.expected = await integersOf(this.#run, this.#n)
    let lost = 0
    for (let n = 1; n <= this.#n; n++) if (this.#committed.has(n) && !this.expected.has(n)) lost++
    if (lost > 0) this.#run.problem(`${lost} integers were committed and are not in the input`)
  }

  async #write(): Promise<void> {
    const { random } = this.#run.context
    await this.#run.reads()
    let sink = this.#open()
    try {
      while (!this.#isStopped) {
        const first = this.#n + 1
        this.#n += random.between(1, LARGEST)
        // Until these are committed, or it is not known whether they are.
        while (!(await this.#settled(sink, first))) {
          this.#run.count('aborted')
          if (random.chance(0.1)) {
            await sink.close()
            sink = this.#open()
          }
        }
        if (!this.#committed.has(first)) {
          await sink.close()
          sink = this.#open()
        }
      }
    } finally {
      await sink.close()
    }
  }

  /** @returns false when the transaction was aborted */
  async #settled(sink: KafkaSink, first: number): Promise<boolean> {
    const { random } = this.#run.context
    try {
      await sink.beginTransaction()
      const records = Array.from({ length: this.#n - first + 1 }, (_, i) => recordOf(first + i))
      for (const failure of (await sink.write(records)).failures.values()) throw failure
      const signal = random.chance(0.5) ? AbortSignal.timeout(random.between(0, LONGEST_COMMIT_MS)) : undefined
      await sink.commitTransaction(signal)
      this.#commit(first)
      return true
    } catch {
      return this.#abort(sink, first)
    }
  }

  /** @returns false when it was aborted; otherwise it was committed after all, or the coordinator cannot be asked */
  async #abort(sink: KafkaSink, first: number): Promise<boolean> {
    try {
      await sink.abortTransaction()
      return false
    } catch (error) {
      const isCommitted = isMillraceError(error) && error.code === 'TRANSACTION_COMMITTED'
      if (isCommitted) this.#commit(first)
      this.#run.count(isCommitted ? 'committed-after-all' : 'undecided')
      return true
    }
  }

  #commit(first: number): void {
    for (let n = first; n <= this.#n; n++) this.#committed.add(n)
  }

  #open(): KafkaSink {
    const { bed, setting } = this.#run.context
    const quick = setting.options === 'quick' ? { 'request.timeout.ms': 1000, 'max.block.ms': 3000 } : {}
    return new KafkaSink({
      bootstrapServers: bed.forPipelines,
      topic: this.#run.input,
      transactionalId: this.#run.input,
      enableCircuitBreaker: false,
      ...quick,
    })
  }
}
