/**
 * `$sampleRate`: keeps a random share of the documents. With a seed they are the same ones in each run, drawn as by
 * java.util.SplittableRandom, which the host uses.
 */
import type { Stage } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'

export class SampleRateStage implements Stage {
  readonly name = '$sampleRate'
  readonly needs = 'metadata'
  readonly does = 'keeps a random share of the records, whose values are copied unchanged'
  readonly #rate: number
  readonly #draw: () => number

  constructor({ rate, seed }: { readonly rate: number; readonly seed?: number | undefined }) {
    this.#rate = rate
    this.#draw = seed === undefined ? () => Math.random() : splittableRandom(BigInt(seed))
  }

  process(batch: Batch): Batch | undefined {
    const kept: number[] = []
    for (let row = 0; row < batch.length; row++) if (this.#draw() <= this.#rate) kept.push(row)
    return batch.pick(kept)
  }
}

const GOLDEN_GAMMA = 0x9e3779b97f4a7c15n

/** Doubles from 0 to 1. @see java.util.SplittableRandom#nextDouble */
export function splittableRandom(seed: bigint): () => number {
  let state = BigInt.asUintN(64, seed)
  return () => {
    state = BigInt.asUintN(64, state + GOLDEN_GAMMA)
    let z = state
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    return Number((z ^ (z >> 31n)) >> 11n) * 2 ** -53
  }
}
