/**
 * Reads TOML: the values, and the place of each of them, from one parse.
 */
import type { AST, ParseError } from 'toml-eslint-parser'
import type { ConfigProblem } from '../errors/index.ts'
import type { Position } from './position.ts'

export interface TomlDocument {
  readonly value: Table
  /** Place of the value at a dotted path with indexes (`stages.0.config.topic`), or of the closest value above it. */
  readonly positionOf: (path: string) => Position
  readonly dottedKeys: readonly DottedKey[]
}

/** `a.b = value`, which is an object in an object. */
export interface DottedKey {
  /** Path of the table that it is in. */
  readonly above: string
  /** At least two. */
  readonly names: readonly string[]
}

/** Tables have no prototype, so `__proto__` is a key like any other. */
interface Table {
  [key: string]: unknown
}

/** A text that is not TOML, or holds a number that cannot be kept. */
export class TomlError extends Error {
  readonly position: Position | undefined
  readonly suggestion: string | undefined

  constructor(reason: string, position: Position | undefined, suggestion?: string, cause?: unknown) {
    super(reason, { cause })
    this.position = position
    this.suggestion = suggestion
  }

  /** @param what the file or the text that cannot be read */
  toProblem(what: string): ConfigProblem {
    return {
      path: '',
      ...this.position,
      message: `Cannot read ${what} as TOML: ${this.message}`,
      ...(this.suggestion === undefined ? {} : { suggestion: this.suggestion }),
    }
  }
}

/** @throws {TomlError} */
export async function readToml(text: string): Promise<TomlDocument> {
  const { parseTOML } = await import('toml-eslint-parser')
  try {
    return new Reader().read(parseTOML(text.replace(/^\uFEFF/, '')))
  } catch (error) {
    throw error instanceof TomlError ? error : explain(error as Error, text)
  }
}

class Reader {
  readonly #root = newTable()
  readonly #positions = new Map<string, Position>()
  readonly #dottedKeys: DottedKey[] = []

  read(program: AST.TOMLProgram): TomlDocument {
    for (const part of program.body[0].body)
      if (part.type === 'TOMLTable') this.#table(part)
      else this.#pair(part, this.#root, '')
    const positions = this.#positions
    return {
      value: this.#root,
      dottedKeys: this.#dottedKeys,
      positionOf: (path) => {
        let above = path
        while (above !== '' && !positions.has(above)) above = above.slice(0, Math.max(0, above.lastIndexOf('.')))
        return positions.get(above) ?? { line: 1, column: 1 }
      },
    }
  }

  /** `[a.b]` or `[[a.b]]`; its resolved key has the index of the table behind each array of tables. */
  #table(node: AST.TOMLTable): void {
    let table = this.#root
    let path = ''
    node.resolvedKey.forEach((key, i) => {
      path = this.#note(join(path, key), node)
      const isArray = typeof node.resolvedKey[i + 1] === 'number'
      table = (table[key] ??= isArray ? [] : newTable()) as Table
    })
    for (const pair of node.body) this.#pair(pair, table, path)
  }

  /** `a.b = value`; each name of a dotted key is at its beginning. */
  #pair(node: AST.TOMLKeyValue, table: Table, above: string): void {
    const names = node.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))
    if (names.length > 1) this.#dottedKeys.push({ above, names: [...names] })
    const last = names.pop()!
    let path = above
    for (const name of names) {
      path = this.#note(join(path, name), node)
      table = (table[name] ??= newTable()) as Table
    }
    table[last] = this.#value(node.value, this.#note(join(path, last), node))
  }

  #value(node: AST.TOMLContentNode, path: string): unknown {
    if (node.type === 'TOMLArray')
      return node.elements.map((element, i) => this.#value(element, this.#note(join(path, i), element)))
    if (node.type === 'TOMLInlineTable') {
      const table = newTable()
      for (const pair of node.body) this.#pair(pair, table, path)
      return table
    }
    return scalar(node)
  }

  /** @returns the path */
  #note(path: string, node: AST.TOMLNode): string {
    if (!this.#positions.has(path)) this.#positions.set(path, positionOf(node))
    return path
  }
}

function scalar(node: AST.TOMLValue): unknown {
  switch (node.kind) {
    case 'string':
    case 'boolean':
      return node.value
    case 'float': {
      if (!Number.isFinite(node.value))
        throw new TomlError(`number ${node.number} is not one that JSON can hold`, positionOf(node))
      return node.value
    }
    case 'integer': {
      if (!Number.isSafeInteger(node.value))
        throw new TomlError(`integer ${node.number} is beyond 2^53 and would be rounded`, positionOf(node))
      // The parser reads -0 as the float.
      return Number(node.bigint)
    }
    case 'offset-date-time':
    case 'local-date-time':
    case 'local-date':
    case 'local-time': {
      const date = new TomlDate(node.kind, node.datetime)
      if (Number.isNaN(date.getTime())) throw new TomlError('invalid date', positionOf(node))
      return date
    }
  }
}

/** A date whose text has the parts that were written. Without a zone it is in UTC, whatever zone the machine is in. */
class TomlDate extends Date {
  readonly #kind: AST.TOMLDateTimeValue['kind']
  readonly #zone: string

  constructor(kind: AST.TOMLDateTimeValue['kind'], written: string) {
    const text = (kind === 'local-time' ? `0000-01-01T${written}` : written).toUpperCase().replace(' ', 'T')
    super(kind === 'local-date-time' || kind === 'local-time' ? `${text}Z` : text)
    this.#kind = kind
    this.#zone = kind === 'offset-date-time' ? /(?:Z|[-+]\d\d:\d\d)$/.exec(text)![0] : 'Z'
  }

  override toISOString(): string {
    const [, sign, hours, minutes] = /^([-+])(\d\d):(\d\d)$/.exec(this.#zone) ?? ['', '+', '0', '0']
    const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000)
    const text = new Date(this.getTime() + offset).toISOString()
    if (this.#kind === 'local-date') return text.slice(0, 10)
    if (this.#kind === 'local-time') return text.slice(11, -1)
    return this.#kind === 'local-date-time' ? text.slice(0, -1) : text.slice(0, -1) + this.#zone
  }
}

/** Says in the words of a user what the parser found. */
function explain(error: Error, text: string): TomlError {
  if (error instanceof RangeError)
    return new TomlError('arrays or tables are nested too deeply', undefined, undefined, error)
  const { index, lineNumber, column, message } = error as ParseError
  const before = text.slice(0, index)
  const after = text.slice(index)
  // The parser is at the end of a date when it finds that there is no such day.
  const back = /Unexpected invalid (?:date|time)/.test(message) ? /[\d:.TtZz+-]*$/.exec(before)![0].length : 0
  const position = { line: lineNumber, column: column + 1 - back }
  if (message === 'Defining a key multiple times is invalid') {
    const key = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)/.exec(after)?.[0] ?? ''
    return new TomlError(`key ${key.replace(/^[\w-]+$/, '"$&"')} is defined twice`, position, undefined, error)
  }
  const isUnquoted =
    (message === 'Unexpected character' && VALUE_EXPECTED.test(before)) ||
    (message === 'Must be a newline' && /[\w.+-]$/.test(before) && /^\w/.test(after))
  if (isUnquoted) return new TomlError('invalid value', position, 'text must be in quotes', error)
  return new TomlError(REASONS[message] ?? lowerFirst(message), position, undefined, error)
}

/** A value must follow: behind `=`, a comma, or the bracket that opens an array (not a table). */
const VALUE_EXPECTED = /(?:=[ \t]*|,\s*|(?<!^[ \t]*\[?)\[\s*)$/m

/** Where the parser's own words leave a user to guess. */
const REASONS: { readonly [message: string]: string | undefined } = {
  'Unspecified values are invalid': 'a value is missing',
  'Empty bare keys are not allowed': 'a key is missing',
  'Expected equal (=) token': '"=" is missing after the key',
  'Expected comma (,) token': 'a comma is missing',
  'Must be a newline': 'a line break is missing here',
  'Unterminated string constant': 'the closing quote is missing',
  'Unterminated table-key': '"]" is missing',
  'Unterminated array': '"]" is missing',
  'Unterminated inline table': '"}" is missing',
  'Unexpected invalid date': 'invalid date',
  'Unexpected invalid time': 'invalid time',
}

function newTable(): Table {
  return Object.create(null) as Table
}

function positionOf(node: AST.TOMLNode): Position {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 }
}

function join(above: string, key: string | number): string {
  return above === '' ? String(key) : `${above}.${key}`
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
