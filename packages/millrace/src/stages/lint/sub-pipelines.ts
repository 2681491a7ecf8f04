/** Checks the shape of `$subPipeline`: a list of pipelines, of which each may hold others in parallel. */
import type { ConfigProblem } from '../../errors/index.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue } from '../../options/values.ts'
import type { LintStages } from '../definitions/definition.ts'
import { isDocument } from '../field-path.ts'

/** @param lintStages checks a list of stages */
export function subPipelines(spec: unknown, path: string, lintStages: LintStages): ConfigProblem[] {
  if (!Array.isArray(spec) || spec.length === 0)
    return [
      {
        path,
        message: `It must be a list of pipelines: found ${describeValue(spec)}`,
        suggestion: 'write [{pipeline: [...]}]',
      },
    ]
  return spec.flatMap((entry: unknown, i) => subPipeline(entry, `${path}.${i}`, lintStages))
}

function subPipeline(entry: unknown, path: string, lintStages: LintStages): ConfigProblem[] {
  if (typeof entry === 'string')
    return [
      {
        path,
        message: `Cannot find the pipeline "${entry}", as only linear files have named pipelines`,
        suggestion: 'write its stages here: {pipeline: [...]}',
      },
    ]
  if (!isDocument(entry) || 'pipeline' in entry === 'parallel' in entry)
    return [{ path, message: 'An entry must have either pipeline or parallel', suggestion: 'write {pipeline: [...]}' }]
  const isParallel = 'parallel' in entry
  const known = isParallel ? ['parallel', 'onError', 'merge'] : ['pipeline', 'onError']
  const { merge = 'concat', onError = 'bubble' } = entry
  const problems = isParallel
    ? subPipelines(entry['parallel'], `${path}.parallel`, lintStages)
    : lintStages(entry['pipeline'], `${path}.pipeline`)
  for (const name of Object.keys(entry)) {
    if (known.includes(name)) continue
    const suggestion = didYouMean(name, known)
    const message = `Unknown option "${name}"`
    problems.push({ path: `${path}.${name}`, message, ...(suggestion === undefined ? {} : { suggestion }) })
  }
  if (!['concat', 'zip', 'facet'].includes(String(merge)))
    problems.push({
      path: `${path}.merge`,
      message: `merge must be concat, zip or facet: found ${describeValue(merge)}`,
    })
  if (!['skip', 'bubble'].includes(String(onError)))
    problems.push({
      path: `${path}.onError`,
      message: `onError must be skip or bubble: found ${describeValue(onError)}`,
    })
  return problems
}
