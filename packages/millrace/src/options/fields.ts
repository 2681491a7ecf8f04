/**
 * How an option is declared: once, with its type, default, unit and documentation. Everything else is derived from the
 * declaration: the TypeScript type (`Options`), reading and checking (`parse.ts`), JSON Schema and help (`describe.ts`).
 *
 * ```ts
 * const options = {
 *   topic: field.string().doc('Topic to read.').example('orders'),
 *   pollTimeout: field.durationMs().default(500).doc('How long to wait for data.'),
 * }
 * type MyOptions = Options<typeof options> // { topic: string; pollTimeout: number }
 * ```
 *
 * Not zod: loading it would take half of the start-up time that `lint` is allowed (docs/decisions/20261121-option-fields.md).
 * May import nothing but its neighbours.
 */
import { type JsonSchema, type ValueType, type Report, Field, type Fields, type Options } from './declaration.ts'
import { readFields } from './parse.ts'
import { didYouMean } from './suggest.ts'
import { BYTES_PATTERN, DURATION_PATTERN, parseBytes, parseDurationMs, suggestDuration } from './units.ts'
import { isObject, isScalar } from './values.ts'

export interface NumberLimits {
  readonly min?: number
  readonly max?: number
}

/** Makers of fields, one for each type of value. */
export const field = {
  /** Text that is not empty. Numbers are refused, as `007` and `1e3` would change on the way. */
  string: (): Field<string> => required(textType('text', (text) => text.trim() !== '', { minLength: 1 })),

  /** A dotted path into a document, for instance `customer.id`. */
  path: (): Field<string> =>
    required(textType('a dotted path such as "customer.id"', (text) => /^[^.$\s][^.\s]*(?:\.[^.\s]+)*$/.test(text))),

  /** The name of a topic, as brokers allow it. */
  topic: (): Field<string> =>
    required(
      textType(
        'the name of a topic: letters, digits, ".", "_" and "-", at most 249',
        (text) => /^[A-Za-z0-9._-]{1,249}$/.test(text) && text !== '.' && text !== '..',
        { minLength: 1 },
      ),
    ),

  /** `true` or `false`, also as text. */
  boolean: (): Field<boolean> => required(booleanType),

  /** A whole number, also as text. */
  int: (limits: NumberLimits = {}): Field<number> =>
    required(
      numberType(
        { what: 'a whole number', schema: { type: 'integer' }, isValid: Number.isSafeInteger, fromText: readNumber },
        limits,
      ),
    ),

  /** A number, also as text. */
  number: (limits: NumberLimits = {}): Field<number> =>
    required(
      numberType(
        { what: 'a number', schema: { type: 'number' }, isValid: Number.isFinite, fromText: readNumber },
        limits,
      ),
    ),

  /** A number of bytes, also as text with a unit: `64KiB`, `1 MB`. */
  bytes: (limits: NumberLimits = {}): Field<number> =>
    required(
      numberType(
        {
          what: 'a number of bytes such as 65536 or "64KiB"',
          schema: { type: ['integer', 'string'], pattern: BYTES_PATTERN },
          isValid: Number.isSafeInteger,
          fromText: parseBytes,
        },
        { min: 0, ...limits },
      ),
    ).unit('bytes'),

  /** A duration: a number of milliseconds, or ISO-8601 text such as `PT0.5S`. The value is a number of milliseconds. */
  durationMs: (limits: NumberLimits = {}): Field<number> =>
    required(
      numberType(
        {
          what: 'a number of milliseconds or a duration such as "PT0.5S"',
          schema: { type: ['number', 'string'], pattern: DURATION_PATTERN },
          isValid: Number.isFinite,
          fromText: parseDurationMs,
          suggest: suggestDuration,
          most: { value: LONGEST_MS, expected: `at most ${LONGEST_MS} ms, which is 24 days` },
        },
        { min: 0, ...limits },
      ),
    ).unit('ms'),

  /** One of some texts; upper and lower case are the same. @param synonyms other texts that stand for one of them */
  oneOf: <const V extends readonly [string, ...string[]]>(
    values: V,
    synonyms: { readonly [text: string]: V[number] } = {},
  ): Field<V[number]> => required(choiceType<V[number]>(values, synonyms)),

  /** Text, a number or a boolean. */
  scalar: (): Field<string | number | boolean> =>
    required({
      expected: 'text, a number or a boolean',
      schema: { type: ['string', 'number', 'boolean'] },
      read(value, report) {
        if (!isScalar(value)) report({ expected: this.expected, found: value })
        return value as string
      },
    }),

  /** A list with at least one element. @param options.commaText whether one text with commas is accepted too */
  list: <T>(of: Field<T>, { commaText = false }: { readonly commaText?: boolean } = {}): Field<readonly T[]> =>
    required(listType(of.type, commaText)),

  /** An object with names that nobody knows beforehand. */
  map: <T>(of: Field<T>): Field<{ readonly [name: string]: T }> =>
    required({
      expected: 'an object',
      schema: { type: 'object', additionalProperties: of.type.schema },
      read(value, report) {
        if (!isObject(value)) report({ expected: this.expected, found: value })
        return Object.fromEntries(
          Object.entries(isObject(value) ? value : {}).map(([name, item]) => [
            name,
            of.type.read(item, below(report, name)),
          ]),
        )
      },
    }),

  /** An object with options of its own. */
  object: <const F extends Fields>(fields: F): Field<Options<F>> =>
    required({
      expected: 'an object',
      schema: { type: 'object' },
      fields,
      read(value, report) {
        if (isObject(value)) return readFields(fields, value, report) as Options<F>
        const isFree = Object.values(fields).every(({ presence }) => presence !== 'required')
        const suggestion = value === true && isFree ? 'write {} for its defaults' : undefined
        report({ expected: this.expected, found: value, suggestion })
        return {} as Options<F>
      },
    }),

  /** A type of one's own. */
  of: <T>(type: ValueType<T>): Field<T> => required(type),

  /** Any value; the component looks at it itself. */
  any: (): Field<unknown> => required({ expected: 'a value', schema: {}, read: (value) => value }),
}

function required<T>(type: ValueType<T>): Field<T> {
  return new Field(type, 'required')
}

function below(report: Report, name: string | number): Report {
  return (finding) => report({ ...finding, path: [name, ...(finding.path ?? [])] })
}

function textType(expected: string, isValid: (text: string) => boolean, schema: JsonSchema = {}): ValueType<string> {
  return {
    expected,
    schema: { type: 'string', ...schema },
    read(value, report) {
      if (typeof value === 'string' && isValid(value)) return value
      report({
        expected,
        found: value,
        suggestion: typeof value === 'number' || typeof value === 'boolean' ? 'write it in quotes' : undefined,
      })
      return ''
    },
  }
}

const BOOLEAN_WORDS: { readonly [word: string]: boolean | undefined } = {
  yes: true,
  on: true,
  '1': true,
  no: false,
  off: false,
  '0': false,
}

const booleanType: ValueType<boolean> = {
  expected: 'true or false',
  schema: { type: 'boolean' },
  read(value, report) {
    const text = isScalar(value) ? String(value).trim().toLowerCase() : ''
    if (text === 'true' || text === 'false') return text === 'true'
    const meant = BOOLEAN_WORDS[text]
    report({ expected: this.expected, found: value, suggestion: meant === undefined ? undefined : `write ${meant}` })
    return false
  },
}

function choiceType<V extends string>(values: readonly V[], synonyms: { readonly [text: string]: V }): ValueType<V> {
  const byText = new Map<string, V>(Object.entries(synonyms).map(([text, value]) => [text.toLowerCase(), value]))
  for (const value of values) byText.set(value.toLowerCase(), value)
  return {
    expected: `one of ${values.map((value) => `"${value}"`).join(', ')}`,
    schema: { enum: values },
    accepts: [...byText.keys()],
    read(value, report) {
      const text = isScalar(value) ? String(value).trim() : ''
      const found = byText.get(text.toLowerCase())
      if (found === undefined)
        report({
          expected: this.expected,
          found: value,
          suggestion: text === '' ? undefined : didYouMean(text, values),
        })
      return found ?? values[0]!
    },
  }
}

function listType<T>(of: ValueType<T>, commaText: boolean): ValueType<readonly T[]> {
  const items: JsonSchema = { type: 'array', items: of.schema, minItems: 1 }
  return {
    expected: commaText
      ? 'a list, or text separated by commas, with at least one element'
      : 'a list with at least one element',
    schema: commaText ? { anyOf: [items, { type: 'string' }] } : items,
    read(value, report) {
      const elements: unknown =
        commaText && typeof value === 'string'
          ? value
              .split(',')
              .map((part) => part.trim())
              .filter((part) => part !== '')
          : value
      if (Array.isArray(elements) && elements.length > 0)
        return elements.map((element: unknown, i) => of.read(element, below(report, i)))
      report({ expected: this.expected, found: value })
      return []
    },
  }
}

/** Numbers may come as text because environment variables are text. */
function readNumber(text: string): number | undefined {
  return /^\s*[-+]?\d+(?:_\d+)*(?:\.\d+)?(?:[eE][-+]?\d+)?\s*$/.test(text)
    ? Number(text.replaceAll('_', ''))
    : undefined
}

interface NumberKind {
  readonly what: string
  readonly schema: JsonSchema
  readonly isValid: (value: number) => boolean
  readonly fromText: (text: string) => number | undefined
  readonly suggest?: (text: string) => string | undefined
  /** What holds for all of the kind, and is told only to those who exceed it. */
  readonly most?: { readonly value: number; readonly expected: string }
}

/** A timer for longer goes off at once. */
const LONGEST_MS = 0x7fffffff

function numberType(
  { what, schema, isValid, fromText, suggest, most }: NumberKind,
  { min, max }: NumberLimits,
): ValueType<number> {
  const limit =
    min === undefined
      ? max === undefined
        ? ''
        : ` of at most ${max}`
      : max === undefined
        ? ` of at least ${min}`
        : ` between ${min} and ${max}`
  return {
    expected: `${what}${limit}`,
    schema: {
      ...schema,
      ...(min === undefined ? {} : { minimum: min }),
      ...(max === undefined ? {} : { maximum: max }),
    },
    read(value, report) {
      const number = typeof value === 'string' ? fromText(value) : value
      if (most !== undefined && typeof number === 'number' && number > most.value) {
        report({ expected: most.expected, found: value })
        return 0
      }
      if (typeof number === 'number' && isValid(number) && number >= (min ?? -Infinity) && number <= (max ?? Infinity))
        return number
      const hint = typeof value === 'string' && number === undefined ? suggest?.(value) : undefined
      // "of at least 0" tells something to those who wrote a negative number only.
      const expected = typeof number !== 'number' && limit === ' of at least 0' ? what : this.expected
      report({ expected, found: value, suggestion: hint === undefined ? undefined : `write "${hint}"` })
      return 0
    },
  }
}
