/**
 * Which shape a pipeline file has. A file of its own, so that nothing of the other shapes is loaded.
 */
import { isObject } from '../options/values.ts'
import { isConnectors } from './connectors/shape.ts'

/** Of seeds 000, 001 and 002. */
export const DIALECTS = ['linear', 'connectors', 'stage-graph'] as const
export type Dialect = (typeof DIALECTS)[number]

/** The shape that the content of a file has the marks of; linear when it has none. */
export function dialectOf(value: unknown): Dialect {
  if (isStageGraph(value)) return 'stage-graph'
  return isConnectors(value) ? 'connectors' : 'linear'
}

/** Whether the content of a file is a graph of stages: `[[stages]]` with id and function, or a table `[pipeline]`. */
function isStageGraph(value: unknown): boolean {
  if (!isObject(value)) return false
  const { stages, pipeline, source, sink } = value
  const hasGraphStages =
    Array.isArray(stages) &&
    stages.some(
      (stage) => isObject(stage) && ('function' in stage || ('id' in stage && ('type' in stage || 'inputs' in stage))),
    )
  return hasGraphStages || (isObject(pipeline) && source === undefined && sink === undefined)
}
