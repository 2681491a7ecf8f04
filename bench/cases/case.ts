import type { Bed } from '../bed.ts'
import type { CaseResult, Race } from '../measure.ts'

/** What a case is given. */
export interface Bench extends Race {
  bed: Bed
  /** Number of records of the full case, times `--scale`. */
  scaled: (records: number) => number
}

export interface Case {
  name: string
  summary: string
  run(bench: Bench): Promise<CaseResult>
}
