/**
 * Reads and checks options against their declaration, and says all problems at once.
 */
import type { AnyField, Fields, Finding, OptionProblem, OptionRule, Options, Report } from './declaration.ts'
import { nameTable } from './spellings.ts'
import { closest } from './suggest.ts'
import { describeValue, isObject } from './values.ts'

export interface ParsedOptions<F extends Fields> {
  /** To be used only when `problems` is empty. */
  readonly options: Options<F>
  readonly problems: readonly OptionProblem[]
  readonly warnings: readonly OptionProblem[]
}

export interface OptionSpec<F extends Fields> {
  readonly options: F
  readonly rules?: readonly OptionRule<F>[]
}

/**
 * Reads the options of a component: types, defaults, aliases, unknown names, and then the rules across options.
 *
 * @param input what the user wrote; `undefined` and `null` stand for no options
 * @param place path of `input`, put before the path of every problem
 */
export function parseOptions<F extends Fields>(
  spec: OptionSpec<F>,
  input: unknown,
  place: readonly (string | number)[] = [],
): ParsedOptions<F> {
  const findings: OptionProblem[] = []
  const written = new Map<string, readonly (string | number)[]>()
  const report: Report = ({ path = [], message = '', suggestion, warning }) => {
    findings.push({ path: [...place, ...path], message, suggestion, ...(warning && { warning }) })
  }
  const options = readFields(spec.options, input ?? {}, report, written) as Options<F>
  // A rule may rely on the types, so it is asked only when they are right.
  if (findings.every(({ warning }) => warning)) {
    const isSet = (name: string): boolean => written.has(name)
    for (const rule of spec.rules ?? []) {
      for (const found of [rule(options, isSet) ?? []].flat()) {
        const [name, ...rest] = found.path
        findings.push({
          ...found,
          path: [...place, ...(name === undefined ? [] : (written.get(String(name)) ?? [name])), ...rest],
        })
      }
    }
  }
  return {
    options,
    problems: findings.filter(({ warning }) => !warning),
    warnings: findings.filter(({ warning }) => warning),
  }
}

/**
 * Reads an object whose names are declared.
 *
 * @param written filled with the place where each option was found, by the name of its field
 */
export function readFields(
  fields: Fields,
  input: unknown,
  report: Report,
  written: Map<string, readonly (string | number)[]> = new Map(),
): { [name: string]: unknown } {
  const values: { [name: string]: unknown } = {}
  if (!isObject(input)) {
    report({ message: `Cannot read the options as they must be an object: found ${shown(input, fields)}` })
    return values
  }
  const names = nameTable(fields)
  /** Options that are there under a name that is not theirs. */
  const meant = new Set<string>()
  const found = new Map<string, { readonly path: readonly (string | number)[]; readonly value: unknown }>()
  for (const [path, value] of entriesOf(input, names)) {
    const key = path.join('.')
    const name = names.get(key)
    if (name === undefined) {
      const guess = closest(key, names.keys())
      if (guess !== undefined) meant.add(names.get(guess)!)
      report({
        path,
        message: `Unknown option "${key}"`,
        suggestion: guess === undefined ? undefined : `did you mean "${guess}"`,
      })
      continue
    }
    const earlier = found.get(name)
    if (earlier !== undefined) {
      const isSecret = fields[name]!.meta.secret === true
      const shown = [earlier, { path, value }].map(
        (one) => `"${one.path.join('.')}" (${isSecret ? 'not shown' : describeValue(one.value)})`,
      )
      report({
        path,
        message: `Cannot use both ${shown.join(' and ')} as they set the same thing`,
        suggestion: 'delete one',
      })
      continue
    }
    found.set(name, { path, value })
    if (value !== null && value !== undefined) written.set(name, path)
  }
  for (const [name, field] of Object.entries(fields)) {
    const entry = found.get(name)
    if (entry === undefined || entry.value === null || entry.value === undefined) {
      if (field.presence === 'required' && !(entry === undefined && meant.has(name))) {
        const example = field.meta.examples?.[0]
        report({
          path: entry?.path ?? [],
          message: `Missing option "${name}"${entry === undefined ? '' : ', which is empty'}`,
          suggestion: example === undefined ? undefined : `for example ${name}: ${JSON.stringify(example)}`,
        })
      } else if (field.presence === 'defaulted') {
        if (entry !== undefined)
          report({
            path: entry.path,
            message: `Option "${entry.path.join('.')}" is left blank, so it has its default`,
            suggestion: 'write a value, or delete it',
            warning: true,
          })
        values[name] = field.meta.default
      }
      continue
    }
    values[name] = readField(field, entry.path, entry.value, report)
  }
  return values
}

function readField(field: AnyField, at: readonly (string | number)[], value: unknown, report: Report): unknown {
  const name = at.join('.')
  const { secret, deprecated, ignored, alwaysIs } = field.meta
  if (deprecated !== undefined)
    report({ path: at, message: `Option "${name}" is deprecated: ${deprecated}`, warning: true })
  if (ignored !== undefined) report({ path: at, message: `Option "${name}" has no effect: ${ignored}`, warning: true })
  const read: unknown = field.type.read(value, (finding) =>
    report({
      ...finding,
      path: [...at, ...(finding.path ?? [])],
      message: finding.message ?? messageOf(name, finding, secret === true || holdsSecret(field.type.fields)),
    }),
  )
  if (alwaysIs !== undefined && read !== alwaysIs.value)
    report({
      path: at,
      message: `Option "${name}" is always ${String(alwaysIs.value)}: ${alwaysIs.because}`,
      warning: true,
    })
  return read
}

/** What is written in place of options, unless it may be a secret. */
function shown(input: unknown, fields: Fields): string {
  const isHidden = holdsSecret(fields) && (typeof input === 'string' || Array.isArray(input))
  return isHidden ? `${typeof input === 'string' ? 'text' : 'a list'}, not shown` : describeValue(input)
}

/** Whether what is written in place of these options may be a secret. */
function holdsSecret(fields: Fields | undefined): boolean {
  return fields !== undefined && Object.values(fields).some(({ meta }) => meta.secret === true)
}

function messageOf(name: string, { expected, found, path = [] }: Finding, secret: boolean): string {
  const element =
    path.length === 0
      ? ''
      : ` at ${path.map((part) => (typeof part === 'number' ? `element ${part + 1}` : `"${part}"`)).join(', ')}`
  const value = secret ? 'not shown' : describeValue(found)
  return `Cannot read option "${name}"${element} as it must be ${expected}: current value is ${value}`
}

/**
 * What is set, with names taken apart where the format took them apart: TOML reads `enable.auto.commit = false` as
 * three tables, and people nest the same way in YAML.
 */
function entriesOf(
  input: { readonly [name: string]: unknown },
  names: ReadonlyMap<string, string>,
  above: readonly string[] = [],
): [path: string[], value: unknown][] {
  return Object.entries(input).flatMap(([name, value]): [string[], unknown][] => {
    const path = [...above, name]
    const key = path.join('.')
    if (!names.has(key) && isObject(value) && hasPrefix(names, `${key}.`)) return entriesOf(value, names, path)
    return [[path, value]]
  })
}

function hasPrefix(names: ReadonlyMap<string, string>, prefix: string): boolean {
  for (const name of names.keys()) if (name.startsWith(prefix)) return true
  return false
}
