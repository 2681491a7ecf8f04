/**
 * Problems of options as problems of a file.
 */
import type { ConfigProblem } from '../errors/index.ts'
import type { OptionProblem } from '../options/declaration.ts'

export function toConfigProblem({ path, message, suggestion }: Omit<OptionProblem, 'warning'>): ConfigProblem {
  return { path: path.join('.'), message, ...(suggestion === undefined ? {} : { suggestion }) }
}

/** Tells of a problem; the path begins at the top of the file. */
export type ReportProblem = (problem: OptionProblem) => void
