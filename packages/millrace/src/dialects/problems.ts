/**
 * Problems of options as problems of a file, and a place to collect them.
 */
import type { ConfigProblem } from '../errors/index.ts'
import type { Fields, OptionProblem, Options } from '../options/declaration.ts'
import { parseOptions, type OptionSpec } from '../options/parse.ts'

export function toConfigProblem({ path, message, suggestion }: Omit<OptionProblem, 'warning'>): ConfigProblem {
  return { path: path.join('.'), message, ...(suggestion === undefined ? {} : { suggestion }) }
}

/** Reports a problem; the path begins at the top of the file. */
export type ReportProblem = (problem: OptionProblem) => void

/** What is wrong with a file, and what is worth saying about it. */
export class Findings {
  readonly problems: ConfigProblem[] = []
  readonly warnings: ConfigProblem[] = []

  readonly report: ReportProblem = (found) => {
    const list = found.warning === true ? this.warnings : this.problems
    list.push(toConfigProblem(found))
  }

  /** Reads options and reports what is wrong with them. @param place path of `input` in the file */
  parse<F extends Fields>(spec: OptionSpec<F>, input: unknown, place: readonly (string | number)[] = []): Options<F> {
    const { options, problems, warnings } = parseOptions(spec, input, place)
    for (const found of [...problems, ...warnings]) this.report(found)
    return options
  }
}
