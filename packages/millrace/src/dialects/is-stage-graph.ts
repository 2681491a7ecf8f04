/**
 * Recognises the shape of seed 002. A file of its own, so that other shapes do not load the functions of this one.
 */
import { isObject } from '../options/values.ts'

/** Whether the content of a file is a graph of stages: `[[stages]]` with id and function, or a table `[pipeline]`. */
export function isStageGraph(value: unknown): boolean {
  if (!isObject(value)) return false
  const { stages, pipeline, source, sink } = value
  const hasGraphStages =
    Array.isArray(stages) &&
    stages.some(
      (stage) => isObject(stage) && ('function' in stage || ('id' in stage && ('type' in stage || 'inputs' in stage))),
    )
  return hasGraphStages || (isObject(pipeline) && source === undefined && sink === undefined)
}
