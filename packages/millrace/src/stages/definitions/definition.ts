/** What a stage is, beside what it does: spelling, documentation, options, lint, and what a planner has to know. */
import type { ConfigProblem } from '../../errors/index.ts'
import type { Fields, JsonSchema } from '../../options/declaration.ts'
import { isDocument } from '../field-path.ts'

export interface StageExample {
  readonly title: string
  /** The value below the name of the stage. */
  readonly spec: unknown
  readonly have: readonly unknown[]
  readonly want: readonly unknown[]
}

export type Check = (spec: unknown, path: string) => ConfigProblem[]
/** Checks a list of stages. */
export type LintStages = (stages: unknown, path: string) => ConfigProblem[]

export interface StageDefinition {
  readonly summary: string
  /** The value below its name, in words. */
  readonly takes: string
  readonly examples: readonly [StageExample, ...StageExample[]]
  /** Its options, when its value is an object of options. */
  readonly options?: Fields
  /**
   * JSON Schema of the value below its name: without it, that of its options.
   * @param options schema of an object of its options, in which other names are refused
   */
  readonly schema?: (options: JsonSchema) => JsonSchema
  /** Checks the shape of its value. @param lintStages for stages that hold stages */
  readonly shape: (spec: unknown, path: string, lintStages: LintStages) => ConfigProblem[]
  /** Checks the operators in a value of the right shape. */
  readonly operators?: Check
  /** It sees all documents of a batch at once, so that the size of batches matters. */
  readonly wholeBatch?: true
  /** It looks at several documents, and its documents are those that came in, in another order or with other fields. */
  readonly keepsDocuments?: true
  /** It makes one document for each value of `_id`. */
  readonly groups?: true
  /** It holds lists of stages. */
  readonly holdsStages?: true
  /** Its result holds whole documents, whatever their fields. */
  readonly seesAllFields?: true
  /** Fields that its value names as those of the result. */
  readonly made?: (spec: unknown) => readonly string[]
}

/** The names of an object of fields. */
export function namesOf(spec: unknown): readonly string[] {
  return isDocument(spec) ? Object.keys(spec) : []
}

/** Documents of several examples. */
export const SALES = [
  { shop: 'a', amount: 10 },
  { shop: 'b', amount: 30 },
  { shop: 'a', amount: 20 },
] as const
