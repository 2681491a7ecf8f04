export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** Something wrong with, or worth saying about, one option. */
export interface OptionProblem {
  /** Where: names and indexes from the outermost object down. */
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly suggestion?: string | undefined
  /** The options can be used all the same. */
  readonly warning?: true
}

/** Reads a value of unknown type. Says through `report` what is wrong; its result is used only when nothing was. */
export interface ValueType<T> {
  /** What is expected, with an article, for messages: `a whole number`. */
  readonly expected: string
  readonly schema: JsonSchema
  /** Fields of an object, for reading nested names. */
  readonly fields?: Fields
  /** What may be written in place of that object. */
  readonly shorthand?: JsonSchema
  /** What else may be written, as types of TypeScript. */
  readonly written?: readonly string[]
  /** All spellings of a choice, synonyms included, in lower case; upper case is the same. */
  readonly accepts?: readonly string[]
  read(value: unknown, report: Report): T
}

export interface Finding {
  /** What should be there: `a whole number`. Or a whole message, when `message` is set. */
  readonly expected?: string
  readonly message?: string
  /** What is there instead. */
  readonly found?: unknown
  readonly suggestion?: string | undefined
  readonly warning?: true
  /** Below the value that is being read; empty for the value itself. */
  readonly path?: readonly (string | number)[]
}

export type Report = (finding: Finding) => void

export type Presence = 'required' | 'optional' | 'defaulted'

export interface FieldMeta {
  readonly doc?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  /** `ms`, `bytes` and the like. */
  readonly unit?: string
  /** Never printed (I8). */
  readonly secret?: true
  /** What to use instead. */
  readonly deprecated?: string
  /** Why it is accepted but has no effect. */
  readonly ignored?: string
  /** The one value that it has in effect, and why others are accepted but change nothing. */
  readonly alwaysIs?: { readonly value: unknown; readonly because: string }
  /** Kafka client property that sets the same. */
  readonly kafka?: string
  /** Other names, for instance in other dialects. */
  readonly aliases?: readonly string[]
}

/** One option: a value type plus its documentation. Immutable; every method gives a new field. */
export class Field<T, P extends Presence = 'required'> {
  readonly type: ValueType<T>
  readonly presence: P
  readonly meta: FieldMeta

  constructor(type: ValueType<T>, presence: P, meta: FieldMeta = {}) {
    this.type = type
    this.presence = presence
    this.meta = meta
  }

  /** What the option does, in whole sentences. */
  doc(text: string): Field<T, P> {
    return this.#with({ doc: text })
  }
  example(value: unknown): Field<T, P> {
    return this.#with({ examples: [...(this.meta.examples ?? []), value] })
  }
  unit(unit: string): Field<T, P> {
    return this.#with({ unit })
  }
  /** Keeps the value out of messages, logs and generated documents (I8). */
  secret(): Field<T, P> {
    return this.#with({ secret: true })
  }
  /** @param instead what to use, as a sentence without a period */
  deprecated(instead: string): Field<T, P> {
    return this.#with({ deprecated: instead })
  }
  /** Accepts the option with a warning. @param reason why it has no effect, as a sentence without a period */
  ignored(reason: string): Field<T, P> {
    return this.#with({ ignored: reason })
  }
  /** Accepts any value, other ones than this with a warning. @param because why it is always so, as a sentence without a period */
  always(value: T, because: string): Field<T, P> {
    return this.#with({ alwaysIs: { value, because } })
  }
  kafka(property: string): Field<T, P> {
    return this.#with({ kafka: property })
  }
  aliases(...names: string[]): Field<T, P> {
    return this.#with({ aliases: [...(this.meta.aliases ?? []), ...names] })
  }
  default(value: T): Field<T, 'defaulted'> {
    return new Field(this.type, 'defaulted', { ...this.meta, default: value })
  }
  optional(): Field<T, 'optional'> {
    return new Field(this.type, 'optional', this.meta)
  }

  #with(meta: FieldMeta): Field<T, P> {
    return new Field(this.type, this.presence, { ...this.meta, ...meta })
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- the value type of a field does not matter here
export type AnyField = Field<any, Presence>

/** Options of a component, by name. */
export interface Fields {
  readonly [name: string]: AnyField
}

type ValueOf<F> = F extends Field<infer T, Presence> ? T : never

type Optional<F extends Fields> = { [K in keyof F]: F[K] extends Field<unknown, 'optional'> ? K : never }[keyof F]

/** The values of some fields: required and defaulted ones are there, optional ones may be undefined. */
export type Options<F extends Fields> = {
  readonly [K in keyof F as K extends Optional<F> ? never : K]: ValueOf<F[K]>
} & {
  readonly [K in keyof F as K extends Optional<F> ? K : never]?: ValueOf<F[K]> | undefined
}

/** A value as a caller may write it: lists also as text with commas. */
type Written<T> = T extends readonly unknown[] ? T | string : T

/** The values of some fields as a caller gives them: only the required ones must be there. */
export type InputOptions<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Field<unknown, 'required'> ? K : never]: Written<ValueOf<F[K]>>
} & {
  readonly [K in keyof F as F[K] extends Field<unknown, 'required'> ? never : K]?: Written<ValueOf<F[K]>> | undefined
}

/**
 * A rule across several options; checked when each of them is fine by itself. Gives the problems, if any.
 * The first element of a problem's path is the name of a field, as declared.
 */
export type OptionRule<F extends Fields = Fields> = {
  // As a method, so that a definition with known fields is also a definition with any fields.
  check(options: Options<F>, isSet: IsSet<F>): OptionProblem | readonly OptionProblem[] | undefined
}['check']

/** Whether the user wrote an option; false when its value is the default. */
export type IsSet<F extends Fields = Fields> = (name: keyof F & string) => boolean

/** Shorthand for rules. */
export function problem(path: string, message: string, suggestion?: string): OptionProblem {
  return { path: [path], message, suggestion }
}

/** Shorthand for rules: something worth saying about options that can be used all the same. */
export function warning(path: string, message: string, suggestion?: string): OptionProblem {
  return { path: [path], message, suggestion, warning: true }
}
