/**
 * Puts environment variables into text values: `${NAME}`, `${NAME:-default}` (also when it is set but empty; a default may hold
 * variables itself), and `$${` for a literal `${`.
 *
 * A value stays text, and options that want a number read it from text. Only in stages, where a text and a number are
 * different values, one rule holds for all formats: a value that is nothing but a variable is read as if it had been written
 * there without quotes. In YAML, quotes keep it text; an unquoted value with more than a variable is read the same way.
 */
import { readFile } from 'node:fs/promises'
import { ConfigError, type ConfigProblem } from '../errors/index.ts'
import { unreadableReason } from '../errors/unreadable.ts'
import { didYouMean } from '../options/suggest.ts'
import { isObject } from '../options/values.ts'
import type { Quoting, SourceDocument } from './document.ts'
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
      return isInStage(path) && isReadByLooks(value, document.quoting(path)) ? readPlain(text) : text
    }
    if (Array.isArray(value)) return value.map((item, i) => replace(item, [...path, i]))
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replace(item, [...path, name])]))
  }
  return { value: replace(document.value, []), problems }
}

function isReadByLooks(written: string, quoting: Quoting): boolean {
  if (quoting === 'chosen') return false
  return quoting === 'none' || endOfVariable(written, 0) === written.length
}

type ReportVariable = (message: string, suggestion?: string) => void

function substitute(text: string, environment: Environment, report: ReportVariable): string {
  let result = ''
  let position = 0
  for (let at = text.indexOf('${'); at >= 0; at = text.indexOf('${', position)) {
    if (text[at - 1] === '$' && at > position) {
      result += `${text.slice(position, at - 1)}\${`
      position = at + 2
      continue
    }
    const end = endOfVariable(text, at) ?? text.length
    result += text.slice(position, at) + valueOf(text.slice(at, end), environment, report)
    position = end
  }
  return result + text.slice(position)
}

/** Where a variable that begins at `start` ends, those in its default included; undefined when it does not end. */
function endOfVariable(text: string, start: number): number | undefined {
  if (!text.startsWith('${', start)) return undefined
  let depth = 0
  for (let at = start; at < text.length; at++) {
    if (text.startsWith('${', at)) depth++
    else if (text[at] === '}' && --depth === 0) return at + 1
  }
  return undefined
}

/** @param variable from `${` to `}` */
function valueOf(variable: string, environment: Environment, report: ReportVariable): string {
  const [, name, fallback] = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?\}$/.exec(variable) ?? []
  if (name === undefined) {
    report(
      `Cannot read the variable "${variable}" as it must have the form \${NAME} or \${NAME:-default}`,
      'write $${ for a literal ${',
    )
    return ''
  }
  const value = environment[name]
  if (fallback !== undefined)
    return value === undefined || value === '' ? substitute(fallback, environment, report) : value
  if (value === undefined)
    report(
      `Environment variable "${name}" is not set`,
      didYouMean(name, Object.keys(environment)) ?? `set it, or add a default: \${${name}:-default}`,
    )
  return value ?? ''
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

/**
 * Variables of files as `node --env-file` and Docker read them, later ones winning.
 * @throws {ConfigError} `CONFIG_UNREADABLE`
 */
export async function variablesOf(files: readonly string[]): Promise<Environment> {
  if (files.length === 0) return {}
  const { parseEnv } = await import('node:util')
  const all: Environment[] = []
  for (const file of files) {
    try {
      all.push(parseEnv(await readFile(file, 'utf8')))
    } catch (error) {
      const message = `Cannot read the variables of "${file}": ${unreadableReason(error)}`
      throw new ConfigError(message, [{ path: '', file, message }], { code: 'CONFIG_UNREADABLE', cause: error })
    }
  }
  return Object.assign({}, ...all) as Environment
}
