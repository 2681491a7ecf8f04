/**
 * Variables of stage graphs: `{{name}}` in texts directly below the configuration of a function, and at any depth of a stage
 * such as `$match`, from `[global.variables]`.
 *
 * `{{ name }}` is a variable, too, except in options that are templates of the function, for instance of `http.fetch`: there, what
 * has spaces is a column.
 */
import type { ConfigProblem } from '../../errors/index.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue, isObject, isScalar } from '../../options/values.ts'

/** By name, with the type in which they are written. */
export type Variables = ReadonlyMap<string, string | number | boolean>

/** The variables of a file; those of the environment are in them already. */
export function readVariables(value: unknown, problems: ConfigProblem[]): Variables {
  const variables = new Map<string, string | number | boolean>()
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
    else variables.set(name, text)
  }
  return variables
}

/**
 * A configuration with the variables put into its texts.
 * @param templates options in which what is no variable is a template of the function
 */
export function putVariables(
  config: unknown,
  variables: Variables,
  templates: readonly string[],
  path: string,
  problems: ConfigProblem[],
): unknown {
  if (!isObject(config)) return config
  return Object.fromEntries(
    Object.entries(config).map(([option, value]) => {
      const at = `${path}.${option}`
      if (!templates.includes(option)) return [option, putDeep(value, variables, at, problems)]
      return [option, typeof value === 'string' ? put(value, /\{\{(\w+)\}\}/g, variables, at, []) : value]
    }),
  )
}

/** A value with the variables put into all its texts. */
function putDeep(value: unknown, variables: Variables, path: string, problems: ConfigProblem[]): unknown {
  if (typeof value === 'string') return put(value, VARIABLE, variables, path, problems)
  if (Array.isArray(value)) return value.map((item, i) => putDeep(item, variables, `${path}.${i}`, problems))
  if (!isObject(value) || value instanceof Date) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, putDeep(item, variables, `${path}.${name}`, problems)]),
  )
}

const VARIABLE = /\{\{\s*(\w+(?:\.\w+)*)\s*\}\}/g

/**
 * The specification of a stage with the variables put into its texts. A text that is nothing but a variable becomes its value,
 * which may be a number: where stages compare, the text "100" is not the number 100.
 */
export function putVariablesInStage(
  spec: unknown,
  variables: Variables,
  path: string,
  problems: ConfigProblem[],
): unknown {
  if (typeof spec === 'string')
    return (
      variables.get(/^\{\{\s*(\w+)\s*\}\}$/.exec(spec)?.[1] ?? '') ?? put(spec, VARIABLE, variables, path, problems)
    )
  if (Array.isArray(spec)) return spec.map((item, i) => putVariablesInStage(item, variables, `${path}.${i}`, problems))
  if (!isObject(spec)) return spec
  return Object.fromEntries(
    Object.entries(spec).map(([name, item]) => [
      name,
      putVariablesInStage(item, variables, `${path}.${name}`, problems),
    ]),
  )
}

function put(text: string, pattern: RegExp, variables: Variables, path: string, problems: ConfigProblem[]): string {
  return text.replace(pattern, (whole, name: string) => {
    const value = variables.get(name)
    // With spaces it may be meant for something else.
    if (value === undefined && (!/\s/.test(whole) || name.startsWith('env.')))
      problems.push({
        path,
        message: `Variable "${name}" is not defined`,
        suggestion: name.startsWith('env.')
          ? `write \${${name.slice(4)}} for a variable of the environment`
          : (didYouMean(name, variables.keys()) ?? 'define it in [global.variables]'),
      })
    return value === undefined ? whole : String(value)
  })
}
