/** What a scenario is, and what comes of it. */
import type { Run } from './run.ts'
import type { BedKind } from './bed.ts'
import type { Breakage, Promised } from './promises.ts'
import type { Allowed, Setting } from './settings.ts'

export interface Scenario {
  readonly name: string
  readonly summary: string
  readonly bed: BedKind
  /** Settings in which it makes sense; all when omitted. */
  readonly allowed?: Allowed
  readonly breaks: readonly Breakage[]
  /** Of the topics. */
  readonly topicConfigs?: { readonly [name: string]: string }
  /** Writes the input while the faults happen; by default integers at `rate`, each once. */
  readonly input?: (run: Run) => Input
  /** Starts the pipelines and does its worst until `run.goesOn` is false; what it leaves running has to catch up. */
  disturb(run: Run): Promise<void>
  /** What else must hold when everything is delivered and the workers have stopped; tells `run.problem`. */
  readonly verify?: (run: Run) => Promise<void>
}

/** Integers from 1 on that are written to the input topic. */
export interface Input {
  /** Writes what is left and ends. @throws what could not be written */
  stop(): Promise<void>
  /** The integers that must come out, by number: 1 where there is one. Complete after `stop`. */
  readonly expected: Integers
}

/** A set of integers from 0 on. */
export class Integers {
  #flags = new Uint8Array(1 << 16)
  size = 0
  last = 0

  add(n: number): void {
    if (n >= this.#flags.length) {
      const larger = new Uint8Array(Math.max(n + 1, this.#flags.length * 2))
      larger.set(this.#flags)
      this.#flags = larger
    }
    if (this.#flags[n] === 1) return
    this.#flags[n] = 1
    this.size++
    this.last = Math.max(this.last, n)
  }

  has(n: number): boolean {
    return this.#flags[n] === 1
  }
}

/** The outcome, as it is printed. */
export interface Verdict {
  readonly scenario: string
  readonly setting: Setting
  /** The command that runs the same again. */
  readonly repeat: string
  /** How often what was done to it. */
  readonly faults: Readonly<Record<string, number>>
  /** Integers that were to come out. */
  readonly input: number
  /** Records that came out. */
  readonly output: number
  readonly lost: number
  /** Records beyond the first of an integer. */
  readonly repeated: number
  /** First records of an integer that came after a greater integer of the same key. */
  readonly outOfOrder: number
  /** The counts that must be 0. */
  readonly promised: readonly Promised[]
  /** Time from the last fault to the last commit. */
  readonly catchUpMs: number
  /** What else should not have happened. */
  readonly problems: readonly string[]
  readonly ok: boolean
}
