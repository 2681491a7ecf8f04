/**
 * Puts environment variables into text values: `${NAME}`, `${NAME:-default}` (also when it is set but empty), and `$${`
 * for a literal `${`.
 *
 * A value stays text, and options that want a number read it from text. Only in stages, where a text and a number are
 * different values, an unquoted YAML value is read anew after the variable was put in, as if it had been written there.
 */
import type { ConfigProblem } from '../errors/index.ts'
import { didYouMean } from '../options/suggest.ts'
import { isObject } from '../options/values.ts'
import type { SourceDocument } from './document.ts'
import { toConfigProblem } from './problems.ts'

export interface Environment {
  readonly [name: string]: string | undefined
}

/** @returns the value with all variables replaced, and the problems with those that cannot be */
export function withEnvironment(
  document: SourceDocument,
  environment: Environment,
): { readonly value: unknown; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = []
  const replace = (value: unknown, path: readonly (string | number)[]): unknown => {
    if (typeof value === 'string' && value.includes('${')) {
      const text = substitute(value, environment, (message, suggestion) =>
        problems.push(toConfigProblem({ path, message, suggestion })),
      )
      return isInStage(path) && document.isPlain(path) ? readPlain(text) : text
    }
    if (Array.isArray(value)) return value.map((item, i) => replace(item, [...path, i]))
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replace(item, [...path, name])]))
  }
  return { value: replace(document.value, []), problems }
}

const VARIABLE = /\$\$\{|\$\{([^}]*)\}?/g

function substitute(
  text: string,
  environment: Environment,
  report: (message: string, suggestion?: string) => void,
): string {
  return text.replace(VARIABLE, (whole, inner: string | undefined) => {
    if (inner === undefined) return '${'
    const [, name, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/.exec(inner) ?? []
    if (name === undefined || !whole.endsWith('}')) {
      report(
        `Cannot read the variable "${whole}" as it must have the form \${NAME} or \${NAME:-default}`,
        'write $${ for a literal ${',
      )
      return ''
    }
    const value = environment[name]
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value
    if (value === undefined)
      report(
        `Environment variable "${name}" is not set`,
        didYouMean(name, Object.keys(environment)) ?? `set it, or add a default: \${${name}:-default}`,
      )
    return value ?? ''
  })
}

function isInStage(path: readonly (string | number)[]): boolean {
  const [first] = path
  return (
    first === 'stages' ||
    first === 'pipeline' ||
    first === 'pipelines' ||
    (first === 'sink' && path.includes('pipeline')) ||
    typeof first === 'number'
  )
}

/** A plain scalar of YAML 1.2: number, boolean, null or text. */
function readPlain(text: string): unknown {
  if (/^[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text)) return Number(text)
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  return /^(?:null|~|)$/i.test(text) ? null : text
}
