/**
 * Runs a plan of any shape.
 */
import type { GraphPlan } from './graph/plan.ts'
import { isGraph } from './graph/plan.ts'
import type { PipelineGroup, PipelinePlan, RunOptions, RunResult } from './plan.ts'

/** @throws {MillraceError} the first failure; everything acknowledged before it has been committed */
export async function runPlan(plan: PipelinePlan | PipelineGroup | GraphPlan, run: RunOptions): Promise<RunResult> {
  if ('pipelines' in plan) return (await import('./run-group.ts')).runGroup(plan, run)
  return isGraph(plan)
    ? (await import('./graph/run-graph.ts')).runGraph(plan, run)
    : (await import('./run-pipeline.ts')).runPipeline(plan, run)
}
