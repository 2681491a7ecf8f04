/**
 * Runs a plan of any shape.
 */
import type { GraphPlan } from './graph/plan.ts'
import { isGraph } from './graph/plan.ts'
import { publish } from '../metrics/channels.ts'
import type { Report } from '../metrics/events.ts'
import type { PipelineGroup, PipelinePlan, RunOptions, RunResult } from './plan.ts'

/** @throws {MillraceError} the first failure; everything acknowledged before it has been committed */
export async function runPlan(plan: PipelinePlan | PipelineGroup | GraphPlan, given: RunOptions): Promise<RunResult> {
  const run = { ...given, warn: published(given.warn), inform: published(given.inform ?? (() => {})) }
  if ('pipelines' in plan) return (await import('./run-group.ts')).runGroup(plan, run)
  return isGraph(plan)
    ? (await import('./graph/run-graph.ts')).runGraph(plan, run)
    : (await import('./run-pipeline.ts')).runPipeline(plan, run)
}

/** Reports on the channels of `node:diagnostics_channel`, too. */
function published(report: Report): Report {
  return (message, facts = {}) => {
    publish(facts.event ?? 'warning', message, facts)
    report(message, facts)
  }
}
