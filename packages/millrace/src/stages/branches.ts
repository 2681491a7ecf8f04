/**
 * `$facet` and `$subPipeline`: run lists of stages inside a stage.
 *
 * `$facet` gives one document per batch, with the documents of each list under its name. `$subPipeline` runs its entries
 * one after the other; an entry `{parallel: [...], merge}` runs several on the same documents and joins what they give:
 * one after the other (`concat`), document by document (`zip`), or as `$facet` does (`facet`).
 */
import type { RowFailed, Stage } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import type { Document } from './field-path.ts'
import { newRows, stageFailed } from './rows.ts'

export type MakeStage = (name: string, spec: unknown) => Stage

type Step = (batch: Batch, failed?: RowFailed) => Batch | undefined

/** A stage that holds stages. */
abstract class Branching {
  readonly #inner: Stage[] = []

  /** Makes stages and remembers them. */
  protected remembering(make: MakeStage): MakeStage {
    return (name, spec) => {
      const stage = make(name, spec)
      this.#inner.push(stage)
      return stage
    }
  }

  get combinesRows(): boolean {
    return this.#inner.some(({ combinesRows }) => combinesRows === true)
  }

  get changesKeys(): boolean {
    return this.#inner.some(({ changesKeys }) => changesKeys === true)
  }

  mark(): () => void {
    const restores = this.#inner.flatMap((stage) => stage.mark?.() ?? [])
    return () => {
      for (const restore of restores) restore()
    }
  }
}

export class FacetStage extends Branching implements Stage {
  readonly name = '$facet'
  readonly needs = 'documents'
  readonly does = 'works on all documents of one batch together'
  readonly #branches: readonly (readonly [name: string, step: Step])[]

  constructor(spec: { readonly [name: string]: readonly Document[] }, make: MakeStage) {
    super()
    const makeInner = this.remembering(make)
    this.#branches = Object.entries(spec).map(([name, stages]) => [name, sequence(stages, makeInner)])
  }

  override get combinesRows(): true {
    return true
  }

  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    return wholeBatch(batch, this.name, failed, () => {
      const passed = this.#branches.map(([name, step]) => [name, step(batch)] as const)
      const document = Object.fromEntries(passed.map(([name, one]) => [name, one?.documents ?? []]))
      return newRows(batch, [document], undefined, {
        also: withOwnDigits(
          batch,
          passed.map(([, one]) => one),
        ),
      })
    })
  }
}

/** One entry of `$subPipeline`. */
export type SubPipeline =
  | { readonly pipeline: readonly Document[]; readonly onError?: 'skip' | 'bubble' }
  | {
      readonly parallel: readonly SubPipeline[]
      readonly merge?: 'concat' | 'zip' | 'facet'
      readonly onError?: 'skip' | 'bubble'
    }

export class SubPipelineStage extends Branching implements Stage {
  readonly name = '$subPipeline'
  readonly needs = 'documents'
  readonly #steps: readonly Step[]
  readonly #joinsRows: boolean

  constructor(entries: readonly SubPipeline[], make: MakeStage) {
    super()
    this.#joinsRows = entries.some(joinsRows)
    const makeInner = this.remembering(make)
    this.#steps = entries.map((entry) => stepOf(entry, makeInner))
  }

  override get combinesRows(): boolean {
    return this.#joinsRows || super.combinesRows
  }

  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    return wholeBatch(batch, this.name, failed, () => {
      let current: Batch | undefined = batch
      for (const step of this.#steps) current = current && step(current)
      return current
    })
  }
}

/** Whether documents of several branches become one. */
function joinsRows(entry: SubPipeline): boolean {
  return 'parallel' in entry && ((entry.merge ?? 'concat') !== 'concat' || entry.parallel.some(joinsRows))
}

function stepOf(entry: SubPipeline, make: MakeStage): Step {
  const step =
    'pipeline' in entry ? sequence(entry.pipeline, make) : parallel(entry.parallel, entry.merge ?? 'concat', make)
  if (entry.onError !== 'skip') return step
  return (batch) => {
    try {
      return step(batch)
    } catch {
      // As it is asked to: the documents go on as they came.
      return batch
    }
  }
}

function sequence(stages: readonly Document[], make: MakeStage): Step {
  const made = stages.map((stage) => {
    const [name, spec] = Object.entries(stage)[0]!
    return make(name, spec)
  })
  return (batch) => {
    let current: Batch | undefined = batch
    for (const stage of made) current = current && stage.process(current)
    return current
  }
}

function parallel(entries: readonly SubPipeline[], merge: 'concat' | 'zip' | 'facet', make: MakeStage): Step {
  const steps = entries.map((entry) => stepOf(entry, make))
  return (batch) => {
    const passed = steps.map((step) => step(batch))
    const lists = passed.map((one) => (one?.documents ?? []) as readonly Document[])
    const numbers = { also: withOwnDigits(batch, passed) }
    if (merge === 'concat') return oneAfterTheOther(batch, passed) ?? newRows(batch, lists.flat(), undefined, numbers)
    if (merge === 'facet') {
      const document = Object.fromEntries(lists.map((list, i) => [`branch${i}`, list]))
      return newRows(batch, [document], undefined, numbers)
    }
    const length = Math.max(0, ...lists.map((list) => list.length))
    return newRows(
      batch,
      Array.from({ length }, (_, i) => lists.reduce<Document>((all, list) => ({ ...all, ...list[i] }), {})),
      undefined,
      numbers,
    )
  }
}

/** Batches with numbers that no record of the batch has: those of groups that go on from batch to batch. */
function withOwnDigits(batch: Batch, passed: readonly (Batch | undefined)[]): readonly Batch[] {
  return passed.filter((one) => one !== undefined && one.digits !== undefined && one.digits !== batch.digits) as Batch[]
}

/** The rows of several batches in one, as they are; undefined where some were made anew, so that they are no longer rows of the batch. */
function oneAfterTheOther(batch: Batch, passed: readonly (Batch | undefined)[]): Batch | undefined {
  const parts = passed.filter((one) => one !== undefined)
  const { records } = batch
  if (parts.length === 0 || parts.some((one) => one.records !== records)) return undefined
  const every = <T>(of: (part: Batch, row: number) => T): T[] =>
    parts.flatMap((part) => Array.from({ length: part.length }, (_, row) => of(part, row)))
  return batch.derive({
    rows: Int32Array.from(every((part, row) => part.recordOf(row))),
    documents: every((part, row) => part.documents![row]),
    replaced: Uint8Array.from(every((part, row) => part.replaced?.[row] ?? 0)),
    keys: parts.some(({ keys }) => keys !== undefined) ? every((part, row) => part.keys?.[row]) : undefined,
  })
}

/** Nobody knows which document made a list of stages fail, so all of them have. */
function wholeBatch(
  batch: Batch,
  name: string,
  failed: RowFailed | undefined,
  work: () => Batch | undefined,
): Batch | undefined {
  try {
    return work()
  } catch (error) {
    for (let row = 0; row < batch.length; row++) stageFailed(batch, row, name, error, failed)
    return undefined
  }
}
