/** Dotted keys in stages of TOML files: `a.b = 1` makes an object there, where stages mean a field of one. */
import type { ConfigProblem } from '../errors/index.ts'
import { isObject } from '../options/values.ts'
import type { SourceDocument } from './document.ts'

/** Where an object in place of a dotted name does something else: it replaces the whole field. Of conditions `stage-warnings.ts` knows. */
const SETS_FIELDS: ReadonlySet<unknown> = new Set(['$set', '$addFields'])

/** A warning for each key that is not in quotes, though it names a field that is set. */
export function dottedKeyWarnings({ dottedKeys = [], value }: SourceDocument): ConfigProblem[] {
  return dottedKeys.flatMap(({ above, names }) => {
    const [first, ...rest] = names
    const isWithin = SETS_FIELDS.has(first) && rest.length > 1
    const path = isWithin ? `${above}.${first}` : above
    const field = isWithin ? rest : names
    if (!isWithin && !SETS_FIELDS.has(above.slice(above.lastIndexOf('.') + 1)) && !isConfigOf(above, value)) return []
    // A warning of its own says more.
    if (field[0] === '_meta' && field[1] === 'key') return []
    return {
      path: `${path}.${field[0]}`,
      message: `In TOML, ${field.join('.')} is "${field[0]}" with an object, which replaces all of its fields`,
      suggestion: `write "${field.join('.')}" with quotes to set one field of it, or ${field[0]} = { ${field.slice(1).join('.')} = ... }`,
    }
  })
}

/** `function = "$set"` of a stage graph with its `config`. */
function isConfigOf(path: string, value: unknown): boolean {
  const [, index] = /^stages\.(\d+)\.config$/.exec(path) ?? []
  if (index === undefined || !isObject(value) || !Array.isArray(value['stages'])) return false
  const stage: unknown = value['stages'][Number(index)]
  return isObject(stage) && SETS_FIELDS.has(stage['function'])
}
