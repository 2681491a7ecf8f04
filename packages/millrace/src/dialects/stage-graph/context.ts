/** What reading a graph is given, and its result. */
import type { GraphPlan } from '../../engine/graph/plan.ts'
import type { ConfigProblem } from '../../errors/index.ts'
import type { Environment } from '../environment.ts'

export interface GraphContext {
  readonly file: string
  /** Used when the file names none. */
  readonly name: string
  readonly environment: Environment
  /** Files that are being read, the outermost first. */
  readonly within?: readonly string[]
}

export interface GraphResult {
  readonly plan: undefined
  readonly graph: GraphPlan | undefined
  readonly problems: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
}
