/**
 * Says how a graph would run. Makes its stages as a run would, but opens none of them.
 */
import type { Delivery } from '../../contracts/context.ts'
import { UnexpectedError } from '../../errors/index.ts'
import { IN_FLIGHT_BYTES } from '../in-flight.ts'
import type { Components } from '../plan.ts'
import { meaningOf, weaknessOfAll } from '../meaning.ts'
import { makeNodes, type Node } from './nodes.ts'
import type { GraphPlan } from './plan.ts'

/** Sentences without a period. */
export interface GraphExplanation {
  readonly stages: readonly {
    readonly id: string
    readonly function: string
    readonly inputs: readonly string[]
    readonly does: string
  }[]
  readonly guarantee: { readonly name: Delivery; readonly means: string }
  readonly backpressure: string
  readonly errors: string
  readonly ends: string
}

const COMMITS = ': offsets are committed when every branch has delivered or dropped the results of a record'

/** @throws {ConfigError} when a stage cannot be made */
export async function explainGraph(plan: GraphPlan, components: Components): Promise<GraphExplanation> {
  const runInner = (): never => {
    throw new UnexpectedError('Nothing runs while a plan is explained')
  }
  const nodes = await makeNodes(plan, components, { untilEnd: false, warn: () => {} }, runInner)
  const { fate, retry } = plan.errorPolicy
  const sinks = nodes.flatMap((node) => (node.kind === 'sink' ? [node.sink] : []))
  const attempts = retry === undefined ? '' : `its delivery is retried up to ${retry.maxRetries} times; then `
  const breaker =
    plan.circuitBreaker === undefined
      ? ''
      : `after ${plan.circuitBreaker.failureThreshold} failed deliveries in a row a sink gets nothing for ${plan.circuitBreaker.openMs / 1000} s, then one delivery; `
  return {
    stages: nodes.map((node) => ({
      id: node.id,
      function: node.plan.function,
      inputs: node.plan.inputs,
      does: whatItDoes(node),
    })),
    guarantee: { name: plan.delivery, means: meaningOf(plan.delivery, { weakness: weaknessOfAll(sinks) }, COMMITS) },
    backpressure: `at most ${IN_FLIGHT_BYTES / 1024 / 1024} MiB may be in flight to the sinks; stages that need all rows are limited by max_rows and max_bytes`,
    errors: `${breaker}if a row fails, ${attempts}${fate === 'fail' ? 'the run stops, and nothing after it is committed' : fate === 'skip' ? 'it is skipped and counted' : 'it is written as a dead letter'}`,
    ends:
      plan.timeoutMs === undefined
        ? 'when its sources end or it is stopped'
        : `when its sources end, at the latest after ${plan.timeoutMs / 1000} s`,
  }
}

function whatItDoes(node: Node): string {
  switch (node.kind) {
    case 'source':
      return `reads; ${node.source.commits}`
    case 'transform':
      if (node.transform.finish !== undefined) return 'holds back rows and their acknowledgements'
      return node.transform.does ?? 'works batch by batch'
    case 'sink':
      return `writes: ${node.sink.partitions}${node.sink.completesAtEnd === true ? '; only then may offsets be committed' : ''}`
  }
}
