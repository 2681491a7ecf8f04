/**
 * `$group` with `scope: stream`: groups that go on from batch to batch. After each batch comes one document per group that
 * the batch has changed, with what its accumulators say of everything so far, in the order in which the batch came to them.
 *
 * All partitions of a run feed the same groups. They live in memory: a run that is started again begins with none. An
 * aborted transaction brings them back to where it began (I5): from a mark on, a group is copied before it is changed for
 * the first time.
 */
import type { RowFailed, Stage } from '../contracts/stage.ts'
import { EncodeError } from '../errors/index.ts'
import type { Batch, RowSource } from '../records/batch.ts'
import { AggregateStage } from './aggregate.ts'
import { compileExpressions, type Expressions } from './expressions/expressions.ts'
import { isDocument, type Document } from './field-path.ts'
import { pathOf } from './expressions/moved-fields.ts'
import { compareValues } from './expressions/mingo.ts'
import { GROUP_OPTIONS, MAX_GROUPS } from './definitions/groups.ts'
import { comparable } from '../records/exact-numbers.ts'
import { digitsOfMade, exactOrError, KeptDigits } from '../records/kept-digits.ts'
import { hasDigits } from '../records/row-digits.ts'
import { newRows, stageFailed } from './rows.ts'
import { RUNNING_ACCUMULATORS, type RunningAccumulator, type Slots } from './running-accumulators.ts'

/** A `$group` of either scope. */
export function createGroup(spec: Document): Stage {
  return spec['scope'] === 'stream' ? new RunningGroupStage(spec) : new AggregateStage('$group', withoutOptions(spec))
}

/** The id and the fields of the result. */
function withoutOptions(spec: Document): Document {
  const isOption = ([name, value]: readonly [string, unknown]): boolean => GROUP_OPTIONS.has(name) && !isDocument(value)
  return Object.fromEntries(Object.entries(spec).filter((entry) => !isOption(entry)))
}

interface Group {
  readonly id: unknown
  readonly slots: Slots
  /** Of the id, and of the values that accumulators keep; undefined where doubles hold all. */
  kept: KeptDigits | undefined
}

/** Groups as they were before they were changed; undefined for those that were not there. */
interface Log {
  readonly before: Map<string, Group | undefined>
  next: Log | undefined
}

interface Output {
  readonly field: string
  readonly accumulator: RunningAccumulator
  readonly at: number
  /** Where the value is in a document. */
  readonly path: readonly string[]
}

class RunningGroupStage implements Stage {
  readonly name = '$group'
  readonly needs = 'documents'
  readonly does = 'keeps its groups across batches'
  /** After each batch comes what it has changed. */
  readonly combinesRows = true
  readonly #maxGroups: number
  readonly #outputs: readonly Output[]
  readonly #initial: readonly unknown[]
  readonly #idPath: readonly string[]
  /** Of the id and of what each accumulator takes. */
  readonly #expressions: Expressions
  readonly #groups = new Map<string, Group>()
  /** Since the last mark; undefined when nobody has ever asked for one. */
  #log: Log | undefined

  constructor(spec: Document) {
    const { maxGroups } = spec
    this.#maxGroups = typeof maxGroups === 'number' ? maxGroups : MAX_GROUPS
    const { _id: id, ...fields } = withoutOptions(spec)
    const outputs: Output[] = []
    const initial: unknown[] = []
    const values: unknown[] = [id]
    for (const [field, value] of Object.entries(fields)) {
      const [name, argument] = Object.entries(value as Document)[0]!
      const accumulator = RUNNING_ACCUMULATORS.get(name)!
      outputs.push({ field, accumulator, at: initial.length, path: pathOf(argument) ?? ELSEWHERE })
      initial.push(...accumulator.initial)
      values.push(name === '$count' ? null : argument)
    }
    this.#idPath = pathOf(id) ?? ELSEWHERE
    this.#outputs = outputs
    this.#initial = initial
    this.#expressions = compileExpressions(values)
  }

  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    const changed = new Set<Group>()
    const documents = batch.documents as Document[]
    for (let row = 0; row < batch.length; row++) {
      try {
        changed.add(this.#add(this.#expressions(documents[row]!), batch, row))
      } catch (error) {
        stageFailed(batch, row, this.name, error, failed)
      }
    }
    const groups = [...changed]
    const results = groups.map((group) => this.#resultOf(group))
    return newRows(
      batch,
      results,
      (made, row) => keyOf(this.#expressions(documents[row]!)[0] ?? null) === keyOf((made as Document)['_id']),
      {
        digits: digitsOfMade(
          results,
          groups.map(({ kept }) => kept),
        ),
      },
    )
  }

  mark(): () => void {
    const log: Log = { before: new Map(), next: undefined }
    if (this.#log !== undefined) this.#log.next = log
    this.#log = log
    return () => this.#restore(log)
  }

  /** Undoes what has happened since a mark, the latest first. The mark stays good. */
  #restore(mark: Log): void {
    const logs: Log[] = []
    for (let log: Log | undefined = mark; log !== undefined; log = log.next) logs.push(log)
    for (const { before } of logs.toReversed()) {
      for (const [key, group] of before) {
        if (group === undefined) this.#groups.delete(key)
        else this.#groups.set(key, group)
      }
    }
    mark.before.clear()
    mark.next = undefined
    this.#log = mark
  }

  /** Takes the values of one document in. A document that fails changes nothing. */
  #add([id = null, ...values]: readonly unknown[], batch: Batch, row: number): Group {
    const mayDiffer = hasDigits(batch, row)
    const isRounded = mayDiffer && KeptDigits.mayRound(id)
    const exactId = isRounded ? exactOrError(id, this.#idPath, batch, row) : id
    // Ids that are the same as doubles only are of two groups.
    if (exactId instanceof EncodeError) throw exactId
    const key = keyOf(isRounded ? comparable(exactId) : id)
    const known = this.#groups.get(key)
    if (known === undefined && this.#groups.size >= this.#maxGroups)
      throw new Error(
        `it would start a group beyond the ${this.#maxGroups.toLocaleString('en-US')} that maxGroups allows: raise it, or group by something with fewer values`,
      )
    for (let i = 0; i < values.length; i++) this.#outputs[i]!.accumulator.check?.(values[i])
    const group = this.#toChange(key, id, known)
    if (isRounded && known === undefined) (group.kept ??= new KeptDigits()).keep('_id', id, exactId)
    for (let i = 0; i < values.length; i++) {
      const output = this.#outputs[i]!
      output.accumulator.add(group.slots, output.at, values[i], compareValues)
      if (output.accumulator.keeps !== undefined && (mayDiffer || group.kept !== undefined))
        keep(group, output, values[i], mayDiffer ? { batch, row } : undefined)
    }
    return group
  }

  /** The group of a key, as one that may be changed: a copy when a mark may want it as it is. */
  #toChange(key: string, id: unknown, known: Group | undefined): Group {
    const isShared = this.#log !== undefined && !this.#log.before.has(key)
    if (known !== undefined && !isShared) return known
    const group = known === undefined ? { id, slots: [...this.#initial], kept: undefined } : copyOf(known)
    if (isShared) this.#log!.before.set(key, known)
    this.#groups.set(key, group)
    return group
  }

  #resultOf({ id, slots }: Group): Document {
    const result: { [field: string]: unknown } = { _id: id }
    for (const { field, accumulator, at } of this.#outputs) result[field] = accumulator.result(slots, at)
    return result
  }
}

function copyOf({ id, slots, kept }: Group): Group {
  return { id, slots: [...slots], kept: kept?.copy() }
}

/** Keeps the digits of a value that an accumulator keeps. @param from the row that it is of; undefined where doubles hold its numbers */
function keep(
  group: Group,
  { field, accumulator, at, path }: Output,
  value: unknown,
  from: RowSource | undefined,
): void {
  const { keeps } = accumulator
  const result = accumulator.result(group.slots, at)
  const exactOf = (): unknown => (from === undefined ? value : exactOrError(value, path, from.batch, from.row))
  if (keeps === 'fields') {
    if (isDocument(value)) (group.kept ??= new KeptDigits()).merge(field, result, value, exactOf())
    return
  }
  if (from === undefined || result !== value || !KeptDigits.mayRound(value)) return
  if (keeps === 'one' && group.kept?.has(field, value) === true) return
  ;(group.kept ??= new KeptDigits()).keep(field, value, exactOf())
}

/** No field of any record: where a value is that an expression makes. */
const ELSEWHERE = ['']

/** Text that is the same for equal values, and tells 1 from "1". */
function keyOf(id: unknown): string {
  if (typeof id === 'string') return `"${id}`
  return id instanceof Date ? `date ${id.getTime()}` : JSON.stringify(id)
}
