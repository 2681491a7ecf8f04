/**
 * Checks stages without loading the engine behind them, so that `millrace lint` is fast: first their shape, then the
 * operators in them. What is left for the engine to say, when a stage is created, is wrong arguments.
 */
import type { ConfigProblem } from '../../errors/index.ts'
import { didYouMean } from '../../options/suggest.ts'
import { isStageName, REFUSED_STAGES, STAGE_NAMES, STAGES } from '../definitions/index.ts'
import { isDocument } from '../field-path.ts'
import { currentProblem } from './shapes.ts'

/**
 * The problems of one stage.
 *
 * @param name with its dollar sign
 * @param path dotted path of the specification, for instance `stages.0.$match`
 */
export function lintStage(name: string, spec: unknown, path: string): ConfigProblem[] {
  const refusal = REFUSED_STAGES.get(name)
  if (refusal !== undefined) return [{ path, message: `Stage "${name}" is not available, as ${refusal}` }]
  if (!isStageName(name)) {
    const suggestion = didYouMean(name, STAGE_NAMES) ?? `the stages are ${STAGE_NAMES.join(', ')}`
    return [{ path, message: `Unknown stage "${name}"`, suggestion }]
  }
  const { shape, operators } = STAGES[name]
  const problems = shape(spec, path, lintStages)
  return problems.length > 0 || operators === undefined ? problems : operators(spec, path)
}

/** The problems of what may stand in the place of a stage; undefined when there is nothing of this name. */
export type LintOther = (name: string, spec: unknown, path: string) => ConfigProblem[] | undefined

/** The problems of a stage, or of what may stand in its place. */
export function lintNamed(name: string, spec: unknown, path: string, lintOther?: LintOther): ConfigProblem[] {
  return (name.startsWith('$') ? undefined : lintOther?.(name, spec, path)) ?? lintStage(name, spec, path)
}

/**
 * The problems of a list of stages as a file holds it: objects with exactly one key each.
 * @param lintOther asked for those whose name has no dollar sign
 */
export function lintStages(stages: unknown, path = 'stages', lintOther?: LintOther): ConfigProblem[] {
  if (!Array.isArray(stages)) return [currentProblem(path, 'stages must be a list', stages)]
  return stages.flatMap((stage: unknown, i) => {
    const place = `${path}.${i}`
    if (!isDocument(stage))
      return [currentProblem(place, 'A stage must be an object with one key', stage, 'write {$match: {...}}')]
    const names = Object.keys(stage)
    if (names.length !== 1)
      return [
        {
          path: place,
          message: `A stage must have exactly one key: it has ${names.length === 0 ? 'none' : names.map((name) => `"${name}"`).join(', ')}`,
          suggestion: 'write each of them as a stage of its own',
        },
      ]
    const [name] = names as [string]
    return lintNamed(name, stage[name], `${place}.${name}`, lintOther)
  })
}
