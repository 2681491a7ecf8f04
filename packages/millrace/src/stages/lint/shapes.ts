/** What the shapes of stages have in common: objects of options, and names of fields. */
import type { ConfigProblem } from '../../errors/index.ts'
import type { Fields } from '../../options/declaration.ts'
import { parseOptions } from '../../options/parse.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue } from '../../options/values.ts'
import type { Check } from '../definitions/definition.ts'
import { isDocument, pathProblem } from '../field-path.ts'

/**
 * An object that has all required options and no unknown ones; their values are expressions.
 * @param isOpen whether other names are fields of the result
 */
export function shapeOf(name: string, fields: Fields, isOpen = false): Check {
  return (spec, path) => {
    if (!isDocument(spec)) return [{ path, message: `${name} must be an object: found ${describeValue(spec)}` }]
    return [
      ...Object.entries(fields)
        .filter(([option, { presence }]) => presence === 'required' && !(option in spec))
        .map(([option, { meta }]) =>
          problem(path, `Missing option "${option}"`, `for example ${option}: ${JSON.stringify(meta.examples?.[0])}`),
        ),
      ...(isOpen ? [] : unknownOptions(spec, Object.keys(fields), path)),
    ]
  }
}

/** An object of declared options, values included. */
export function parsedShape(declared: Fields): Check {
  return (spec, path) =>
    parseOptions({ options: declared }, spec, [path]).problems.map(({ path: place, message, suggestion }) =>
      problem(place.join('.'), message, suggestion),
    )
}

export function unknownOptions(
  spec: { readonly [name: string]: unknown },
  known: readonly string[],
  path: string,
): ConfigProblem[] {
  return Object.keys(spec)
    .filter((name) => !known.includes(name))
    .map((name) => problem(`${path}.${name}`, `Unknown option "${name}"`, didYouMean(name, known)))
}

export function fieldsShape(spec: unknown, path: string): ConfigProblem[] {
  if (!isDocument(spec))
    return [
      currentProblem(path, 'This stage must be an object of fields and expressions', spec, 'write {field: value}'),
    ]
  if (Object.keys(spec).length === 0) return [currentProblem(path, 'This stage must name at least one field', spec)]
  return fieldPaths(spec, path)
}

/** Checks every name, and that none lies within another: the result would depend on their order. */
export function fieldPaths(spec: { readonly [name: string]: unknown }, path: string): ConfigProblem[] {
  const names = Object.keys(spec)
  return names.flatMap((name) => {
    const within = names.find((other) => name.startsWith(`${other}.`))
    const problems = fieldPath(name, `${path}.${name}`)
    return within === undefined
      ? problems
      : [...problems, problem(`${path}.${name}`, `Field "${name}" is within "${within}", which is named too`)]
  })
}

export function fieldPath(name: string, path: string): ConfigProblem[] {
  const reason = pathProblem(name)
  if (reason === undefined) return []
  const suggestion = name.startsWith('$') && name.length > 1 ? `write "${name.slice(1)}"` : undefined
  return [problem(path, reason[0]!.toUpperCase() + reason.slice(1), suggestion)]
}

export function problem(path: string, message: string, suggestion?: string): ConfigProblem {
  return { path, message, ...(suggestion === undefined ? {} : { suggestion }) }
}

/** A problem that shows the value. */
export function currentProblem(path: string, message: string, value: unknown, suggestion?: string): ConfigProblem {
  const current = JSON.stringify(value) ?? 'nothing'
  const shown = current.length > 60 ? `${current.slice(0, 57)}...` : current
  return problem(path, `${message}: current value is ${shown}`, suggestion)
}
