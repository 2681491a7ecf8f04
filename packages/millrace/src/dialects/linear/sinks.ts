/**
 * The sinks of a linear file:
 *
 * ```yaml
 * sink: { type: kafka, ... }                                   # one
 * sink: { fanout: [{ type: kafka, ... }, { type: file, ... }] }  # several; each gets every record, in this order
 * sink: { type: kafka, ..., fanout: [{ type: file, ... }] }      # this one, then those
 * sink: { type: pipeline, pipeline: [stages], next: sink }       # stages, then a sink, a list of them or a fanout
 * ```
 */
import { describeValue, isObject } from '../../options/values.ts'
import type { ReportProblem } from '../problems.ts'
import { BESIDE_TYPE, type Block } from './blocks.ts'
import { referenceOf } from '../named-pipelines.ts'
import { RESILIENCE_NAMES } from './resilience.ts'

/** Type of a sink that runs stages and hands on to `next`. */
const PIPELINE = 'pipeline'

/** What the sink of a file says, taken apart. */
export interface LinearSinks {
  /** Stages before the sinks, in order. */
  readonly stages: readonly Block[]
  /** Blocks of one sink each; none when there was a problem. */
  readonly sinks: readonly Block[]
  /** What blocks say of retries and circuit breakers; these hold for all sinks. */
  readonly resilience: readonly Block[]
}

/** Keys of a sink block that are no options. */
export const BESIDE_SINK = [...BESIDE_TYPE, 'fanout', ...RESILIENCE_NAMES]

export function readSinkBlocks(sink: unknown, report: ReportProblem): LinearSinks {
  const stages: Block[] = []
  const resilience: Block[] = []
  let block: Block = { value: sink, place: ['sink'] }
  while (isObject(block.value) && block.value['type'] === PIPELINE) {
    const { type: _, pipeline, version, next, ...others } = block.value
    const { place } = block
    for (const name of Object.keys(others))
      report({
        path: [...place, name],
        message: `Unknown option "${name}" of a sink of type pipeline`,
        suggestion: 'there are pipeline, version and next',
      })
    stages.push({ value: stagesOf(pipeline, version), place: [...place, 'pipeline'] })
    block = { value: next, place: [...place, 'next'] }
    if (next === undefined || next === null) {
      report({ path: place, message: 'Missing next, the sink after the stages of this one' })
      return { stages, sinks: [], resilience }
    }
  }
  const sinks = (Array.isArray(block.value) ? listOf(block, report) : eachOf(block, report)).flatMap(
    ({ value, place }) => {
      if (!isObject(value)) return [{ value, place }]
      const isResilience = ([name]: readonly [string, unknown]): boolean => RESILIENCE_NAMES.includes(name)
      const entries = Object.entries(value)
      const own = entries.filter((entry) => !isResilience(entry))
      const said = Object.fromEntries(entries.filter(isResilience))
      if (Object.keys(said).length > 0) resilience.push({ value: said, place })
      // `fanout` may stand beside these alone.
      return own.length === 0 && Object.keys(said).length > 0 ? [] : [{ value: Object.fromEntries(own), place }]
    },
  )
  return { stages, sinks, resilience }
}

/** Stages as they stand, or those of a sub-pipeline by its name. */
function stagesOf(pipeline: unknown, version: unknown): unknown {
  if (typeof pipeline !== 'string') return pipeline ?? []
  return [{ $subPipeline: [referenceOf(pipeline, version)] }]
}

/** The sink of a block, if it is one itself, and those of its fanout. */
function eachOf({ value, place }: Block, report: ReportProblem): readonly Block[] {
  if (!isObject(value)) return [{ value, place }]
  const { fanout, next, ...own } = value
  if (next !== undefined)
    report({
      path: [...place, 'next'],
      message: 'Option "next" has an effect only in sinks of type pipeline',
      suggestion: 'list all sinks under fanout',
    })
  if (fanout === undefined || fanout === null) return [{ value: own, place }]
  const others = listOf({ value: fanout, place: [...place, 'fanout'] }, report)
  return Object.keys(own).length === 0 ? others : [{ value: own, place }, ...others]
}

function listOf({ value, place }: Block, report: ReportProblem): readonly Block[] {
  if (!Array.isArray(value) || value.length === 0) {
    report({
      path: place,
      message: `Cannot read ${place.at(-1)} as it must be a list with at least one sink: found ${describeValue(value)}`,
    })
    return []
  }
  return value.flatMap((item: unknown, i) => {
    const at = [...place, i]
    if (!isObject(item) || item['type'] !== PIPELINE) return eachOf({ value: item, place: at }, report)
    report({
      path: [...at, 'type'],
      message: 'Cannot run stages for one of several sinks, as all sinks receive the same records',
      suggestion: 'write the stages before all sinks, or use a stage graph',
    })
    return []
  })
}
