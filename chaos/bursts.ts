/** An input that a scenario writes burst by burst, and of which some may be lost again: what the log holds at the end must come out. */
import { KafkaSink } from '../packages/millrace/src/index.ts'
import { readWithOurs, Tally } from './check.ts'
import { recordOf } from './generator.ts'
import type { Run } from './run.ts'
import { type Input, Integers } from './input.ts'

export class Bursts implements Input {
  expected = new Integers()
  /** All that were written. */
  readonly possible = new Integers()
  readonly #run: Run
  #n = 0

  constructor(run: Run) {
    this.#run = run
  }

  /** Writes the next integers and waits for their acknowledgement, with a producer that knows of nothing that came before. */
  async write(count: number): Promise<void> {
    const { bootstrapServers } = this.#run.context.bed
    await using sink = new KafkaSink({
      bootstrapServers,
      topic: this.#run.input,
      acks: '1',
      'enable.idempotence': false,
    })
    const records = Array.from({ length: count }, () => {
      this.possible.add(++this.#n)
      return recordOf(this.#n)
    })
    for (const failure of (await sink.write(records)).failures.values()) throw failure
  }

  async stop(): Promise<void> {
    this.expected = await integersOf(this.#run, this.#n)
  }
}

/** The integers up to `last` that readers of committed records find in the input; each has to be there once and in order. */
export async function integersOf(run: Run, last: number): Promise<Integers> {
  const all = new Integers()
  for (let n = 1; n <= last; n++) all.add(n)
  const tally = new Tally(all)
  const found = new Integers()
  await readWithOurs(run.context.bed.bootstrapServers, run.input, {
    add(partition, offset, key, value) {
      tally.add(partition, offset, key, value)
      found.add(Number(/^\{"n":(\d+)/.exec(value ?? '')?.[1] ?? 0))
    },
  })
  const { repeated, outOfOrder, strange } = tally.counts()
  if (repeated + outOfOrder > 0)
    run.problem(
      `the input has ${repeated} integers twice and ${outOfOrder} out of order: ${JSON.stringify(tally.examples())}`,
    )
  for (const text of strange) run.problem(`in the input: ${text}`)
  return found
}
