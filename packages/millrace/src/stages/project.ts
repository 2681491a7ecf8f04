/**
 * `$project`: keeps the named fields and adds computed ones, or, when every field is 0 or false, leaves the named
 * fields out.
 *
 * `_id` is kept unless it is left out by name. A field that is missing, or computes to nothing, is not there afterwards.
 */
import type { RowFailed, Stage } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import type { MovedFields } from '../records/moved-fields.ts'
import { compileExpressions } from './expressions/expressions.ts'
import { isDocument, type Document } from './field-path.ts'
import { createProjection, isProjectionOperator } from './expressions/mingo.ts'
import { asksForTombstones } from './meta.ts'
import { movedByProjection } from './expressions/moved-fields.ts'
import { mapDocuments } from './rows.ts'
import { ownCopy } from './set.ts'
import { UnsetStage } from './unset.ts'

/** @throws {Error} when the specification is not valid, for instance because it mixes keeping and leaving out */
export function createProject(spec: Document): Stage {
  const excluded = exclusions(spec)
  if (excluded !== undefined) return new UnsetStage('$project', excluded)
  return new ProjectStage(compilePlain(spec) ?? createProjection(spec), spec)
}

class ProjectStage implements Stage {
  readonly name = '$project'
  readonly needs = 'documents'
  readonly #start: () => (document: Document) => Document
  readonly #keepsMeta: boolean
  readonly #seesTombstones: boolean
  readonly #moved: MovedFields

  constructor(start: () => (document: Document) => Document, spec: Document) {
    this.#start = start
    this.#keepsMeta = '_meta' in spec
    this.#seesTombstones = asksForTombstones(spec)
    this.#moved = movedByProjection(spec)
  }

  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    const project = this.#start()
    if (!this.#keepsMeta) return mapDocuments(batch, this.name, project, failed, this.#seesTombstones, this.#moved)
    const withMeta = (document: Document): Document => {
      const result = project(document)
      return isDocument(result['_meta']) ? { ...result, _meta: ownCopy(result['_meta']) } : result
    }
    return mapDocuments(batch, this.name, withMeta, failed, this.#seesTombstones, this.#moved)
  }
}

/** Dotted names of the fields to leave out, or undefined when the specification does anything else. */
function exclusions(spec: Document, prefix = ''): string[] | undefined {
  const names: string[] = []
  for (const [name, value] of Object.entries(spec)) {
    if (value === 0 || value === false) names.push(prefix + name)
    else {
      const inner =
        isDocument(value) && !Object.keys(value).some((key) => key.startsWith('$'))
          ? exclusions(value, `${prefix}${name}.`)
          : undefined
      if (inner === undefined) return undefined
      names.push(...inner)
    }
  }
  return names.length === 0 ? undefined : names
}

/** The common case without dots: fields kept by name, and expressions. Undefined for anything else. */
function compilePlain(spec: Document): (() => (document: Document) => Document) | undefined {
  const dropsId = spec['_id'] === 0 || spec['_id'] === false
  const entries = Object.entries(spec).filter(([name]) => !(dropsId && name === '_id'))
  if (!entries.every(([name, value]) => !name.includes('.') && isPlainProjection(value))) return undefined
  const names = entries.map(([name]) => name)
  if (!dropsId && !names.includes('_id')) names.unshift('_id')
  const evaluate = compileExpressions(
    names.map((name) =>
      spec[name] === undefined || spec[name] === true || typeof spec[name] === 'number' ? `$${name}` : spec[name],
    ),
  )
  return () => (document) => {
    const values = evaluate(document)
    const result: { [name: string]: unknown } = {}
    for (let i = 0; i < names.length; i++) if (values[i] !== undefined) result[names[i]!] = values[i]
    return result
  }
}

function isPlainProjection(value: unknown): boolean {
  if (value === true || typeof value === 'string') return true
  if (typeof value === 'number') return value !== 0
  if (!isDocument(value)) return false
  const [operator] = Object.keys(value)
  if (operator === undefined || operator.startsWith('$'))
    return operator !== undefined && !isProjectionOperator(operator)
  // An object of expressions; with a 1 or a true in it, it would keep fields below this one instead.
  return Object.values(value).every((field) => typeof field !== 'number' && field !== true && isPlainProjection(field))
}
