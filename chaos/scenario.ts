/** What a scenario is, and what comes of it. */
import type { Run } from './run.ts'
import type { BedKind } from './bed.ts'
import type { Tally } from './check.ts'
import type { Input } from './input.ts'
import type { Breakage, Promised } from './promises.ts'
import type { Allowed, Setting } from './settings.ts'

export interface Scenario {
  readonly name: string
  readonly summary: string
  readonly bed: BedKind
  /** Settings in which it makes sense; all when omitted. */
  readonly allowed?: Allowed
  readonly breaks: readonly Breakage[]
  /** Integers per second that suit it; 2000 when omitted. */
  readonly rate?: number
  /** Of brokers of its own. */
  readonly brokerProperties?: { readonly [name: string]: string | number }
  /** Of the output topic. */
  readonly outputConfigs?: { readonly [name: string]: string }
  /** Time beyond the usual that may pass with `options=default` until something happens. */
  readonly patienceMs?: number
  /** Writes the input while the faults happen; by default integers at `rate`, each once. */
  readonly input?: (run: Run) => Input
  /** Starts the pipelines and does its worst until `run.goesOn` is false; what it leaves running has to catch up. */
  disturb(run: Run): Promise<void>
  /** Reads what came out, where it is not in the output topic. */
  readonly read?: (run: Run, tally: Tally) => Promise<void>
  /** What else must hold when everything is delivered and the workers have stopped; tells `run.problem`. */
  readonly verify?: (run: Run) => Promise<void>
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
