/**
 * A stage graph that is to be run: stages that take rows from one another, in any shape without a cycle.
 */
import type { Delivery } from '../../contracts/context.ts'
import type { Endpoints } from '../../contracts/definitions.ts'
import type { ConfigProblem } from '../../errors/index.ts'
import type { CircuitBreakerPlan, ErrorPolicy, HttpPlan, PipelinePlan } from '../plan.ts'

export interface PlannedNode {
  readonly id: string
  readonly kind: 'source' | 'transform' | 'sink'
  /** Name in the catalog, for instance `filter.apply`. */
  readonly function: string
  /** Ids of the nodes whose rows it takes; empty for a source. */
  readonly inputs: readonly string[]
  /** Checked, with defaults. May hold secrets: never print them (I8). */
  readonly options: { readonly [name: string]: unknown }
  /** Where it reads or writes, as its definition says. */
  readonly endpoints: Endpoints
}

export interface GraphPlan {
  readonly name: string
  /** File it was read from, as it was named. */
  readonly file: string
  /** Absolute path against which relative paths in options are resolved. */
  readonly directory: string
  /** Where files to read are looked for. */
  readonly folders: readonly string[]
  /** Each behind its inputs. */
  readonly nodes: readonly PlannedNode[]
  readonly delivery: Delivery
  /** With `exactly_once`: time between commits; 100 ms when omitted. */
  readonly commitIntervalMs?: number | undefined
  readonly errorPolicy: ErrorPolicy
  /** In front of each sink; undefined when there is none. */
  readonly circuitBreaker: CircuitBreakerPlan | undefined
  /** Most records of a source that go through the stages together; undefined leaves it to the source. */
  readonly maxBatchRecords?: number | undefined
  /** How long the whole run may take; undefined for any time. */
  readonly timeoutMs: number | undefined
  readonly http?: readonly HttpPlan[] | undefined
  readonly warnings: readonly ConfigProblem[]
}

/** Whether a plan is a graph and not a line. */
export function isGraph(plan: PipelinePlan | GraphPlan): plan is GraphPlan {
  return 'nodes' in plan
}
