import { Generator, KEYS } from '../generator.ts'
import { type Input, Integers } from '../input.ts'
import type { Run } from '../run.ts'
import type { Scenario } from '../scenario.ts'

/** Partitions that are added one after the other. Each has a key of its own: one that moves to another partition has no order to keep. */
const MOST = 12
const LONGEST_WAIT_MS = 4000
/** Of `metadata.max.age.ms`, within which they are found. */
const QUICK_AGE_MS = 1000

const inputs = new WeakMap<Run, GrowingInput>()

export const partitionsAdded: Scenario = {
  name: 'partitions-added',
  summary: 'partitions are added to the input, and written to at once',
  bed: 'any',
  breaks: [],
  // By default they are found within five minutes.
  patienceMs: 300_000,
  input: (run) => {
    const input = new GrowingInput(run)
    inputs.set(run, input)
    return input
  },
  async disturb(run) {
    const { random, setting } = run.context
    const quick = { source: { 'metadata.max.age.ms': QUICK_AGE_MS } }
    for (const name of ['one', 'two']) run.worker(name, { quick }).start()
    await run.works()
    for (let count = 0; run.goesOn && count < MOST;) {
      const more = Math.min(MOST, count + random.between(1, 3))
      await run.admin.createPartitions(run.input, setting.partitions + more)
      while (count < more) inputs.get(run)!.writeTo(count++)
      run.fault('added', `now ${setting.partitions + more}`)
      await run.wait(random.between(500, LONGEST_WAIT_MS))
    }
    while (run.goesOn) await run.wait(1000)
  },
}

class GrowingInput implements Input {
  readonly expected = new Integers()
  readonly #run: Run
  readonly #generators: Generator[]

  constructor(run: Run) {
    this.#run = run
    this.#generators = [this.#generator((key) => (key < KEYS - MOST ? {} : undefined))]
  }

  /** Begins to write to the partition of this number among those that were added. */
  writeTo(added: number): void {
    const partition = this.#run.context.setting.partitions + added
    this.#generators.push(this.#generator((key) => (key === KEYS - MOST + added ? { partition } : undefined)))
  }

  async stop(): Promise<void> {
    for (const generator of this.#generators) {
      await generator.stop()
      for (let n = 1; n <= generator.expected.last; n++) if (generator.expected.has(n)) this.expected.add(n)
    }
  }

  #generator(route: (key: number) => { readonly partition?: number } | undefined): Generator {
    const { bed, rate } = this.#run.context
    return new Generator({
      bootstrapServers: bed.bootstrapServers,
      topic: this.#run.input,
      rate,
      ready: this.#run.reads(),
      route: (n) => route(n % KEYS),
    })
  }
}
