/**
 * Variables of stage graphs: `{{name}}` in texts directly below the configuration of a stage, from `[global.variables]`.
 *
 * `{{name}}` without spaces is a variable; with spaces it is a template of the function, for instance of `http.fetch`.
 */
import type { ConfigProblem } from '../errors/index.ts'
import { didYouMean } from '../options/suggest.ts'
import { describeValue, isObject, isScalar } from '../options/values.ts'

/** The variables of a file; those of the environment are in them already. */
export function readVariables(value: unknown, problems: ConfigProblem[]): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  if (value === undefined || value === null) return variables
  if (!isObject(value)) {
    problems.push({
      path: 'global.variables',
      message: `Cannot read the variables as they must be an object: found ${describeValue(value)}`,
    })
    return variables
  }
  for (const [name, text] of Object.entries(value)) {
    const path = `global.variables.${name}`
    if (!isScalar(text))
      problems.push({
        path,
        message: `Cannot read variable "${name}" as it must be text: found ${describeValue(text)}`,
      })
    else variables.set(name, String(text))
  }
  return variables
}

/**
 * A configuration with the variables put into its texts.
 * @param templates options in which what is no variable is a template of the function
 */
export function putVariables(
  config: unknown,
  variables: ReadonlyMap<string, string>,
  templates: readonly string[],
  path: string,
  problems: ConfigProblem[],
): unknown {
  if (!isObject(config)) return config
  return Object.fromEntries(
    Object.entries(config).map(([option, value]) => [option, typeof value === 'string' ? put(value, option) : value]),
  )

  function put(text: string, option: string): string {
    return text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => {
      const value = variables.get(name)
      if (value === undefined && !templates.includes(option))
        problems.push({
          path: `${path}.${option}`,
          message: `Variable "${name}" is not defined`,
          suggestion:
            didYouMean(name, variables.keys()) ??
            `define it in [global.variables], or write {{ ${name} }} with spaces for a column`,
        })
      return value ?? whole
    })
  }
}
