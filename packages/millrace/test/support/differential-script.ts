/** What random scripts of requests consist of: dice that fall alike for the same seed, steps, and the two sides that take them. */
import type { RawClient } from './raw-client.ts'

/** One of the brokers, and what it has assigned in this script. */
export interface Side {
  readonly client: RawClient
  memberId: string
  generationId: number
  consumerEpoch: number
  producerId: number
  producerEpoch: number
  sequence: number
  transaction: { producerId: number; producerEpoch: number; sequence: number }
}

export function sideOf(client: RawClient): Side {
  return {
    client,
    memberId: '',
    generationId: -1,
    consumerEpoch: 0,
    producerId: -1,
    producerEpoch: -1,
    sequence: 0,
    transaction: { producerId: -1, producerEpoch: -1, sequence: 0 },
  }
}

/** Random numbers from a seed (Mulberry32). */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 to `below - 1`. */
  roll(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }

  of<T>(...choices: readonly T[]): T {
    return choices[this.roll(choices.length)]!
  }
}

export interface Step {
  readonly name: string
  run(side: Side): Promise<unknown>
}
