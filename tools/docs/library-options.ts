/**
 * The types of the options of the library: one property for each name under which an option may be written, with its documentation, so
 * that editors complete and explain all of them and a misspelled name does not compile.
 */
import {
  IGNORED_ADMIN_FIELDS,
  IGNORED_CONSUMER_FIELDS,
} from '../../packages/millrace/src/kafka/properties/ignored-fields.ts'
import { ADMIN_FIELDS } from '../../packages/millrace/src/kafka/properties/admin-fields.ts'
import { IGNORED_SINK_FIELDS, KAFKA_SINK_FIELDS } from '../../packages/millrace/src/library/sink/fields.ts'
import { KAFKA_SOURCE_FIELDS } from '../../packages/millrace/src/library/source/fields.ts'
import type { AnyField, Fields } from '../../packages/millrace/src/options/declaration.ts'
import { spellings } from '../../packages/millrace/src/options/spellings.ts'

interface Module {
  readonly file: string
  /** Of the interface. */
  readonly name: string
  readonly of: string
  /** Where the fields are declared, as the module names them. */
  readonly fieldsName: string
  readonly fieldsFile: string
  readonly fields: Fields
  readonly ignored: Fields
}

const MODULES: readonly Module[] = [
  {
    file: 'source',
    name: 'SourceNames',
    of: 'a `KafkaSource`',
    fieldsName: 'KAFKA_SOURCE_FIELDS',
    fieldsFile: '../source/fields.ts',
    fields: KAFKA_SOURCE_FIELDS,
    ignored: IGNORED_CONSUMER_FIELDS,
  },
  {
    file: 'sink',
    name: 'SinkNames',
    of: 'a `KafkaSink`',
    fieldsName: 'KAFKA_SINK_FIELDS',
    fieldsFile: '../sink/fields.ts',
    fields: KAFKA_SINK_FIELDS,
    ignored: IGNORED_SINK_FIELDS,
  },
  {
    file: 'admin',
    name: 'AdminNames',
    of: 'an `Admin`',
    fieldsName: 'ADMIN_FIELDS',
    fieldsFile: '../../kafka/properties/admin-fields.ts',
    fields: ADMIN_FIELDS,
    ignored: IGNORED_ADMIN_FIELDS,
  },
]

/** Modules by path from the root. What all of them say word for word is in one that the others extend. */
export function libraryOptions(): readonly (readonly [file: string, text: string])[] {
  const texts = MODULES.map((module) => [module, propertiesOf(module)] as const)
  const [[, first], ...others] = texts as [(typeof texts)[number], ...typeof texts]
  const shared = new Set(first.filter((text) => others.every(([, own]) => own.includes(text))))
  const admin = MODULES.find(({ file }) => file === 'admin')!
  return [
    [pathOf('shared'), moduleOf({ ...admin, name: 'SharedNames', of: 'all clients' }, [...shared])],
    ...texts.map(
      ([module, own]) =>
        [
          pathOf(module.file),
          moduleOf(
            module,
            own.filter((text) => !shared.has(text)),
            'SharedNames',
          ),
        ] as const,
    ),
  ]
}

function pathOf(file: string): string {
  return `packages/millrace/src/library/options/${file}.ts`
}

/** A property for each name, those without effect last. */
function propertiesOf({ fields, ignored }: Module): string[] {
  const known = Object.entries(fields).flatMap(([option, field]) =>
    spellings(option, field).map((spelling) => property(spelling, option, field)),
  )
  const names = new Set(Object.entries(fields).flatMap(([option, field]) => spellings(option, field)))
  const without = Object.entries(ignored)
    .filter(([option]) => !names.has(option))
    .map(
      ([option, { meta }]) =>
        `  /** Has no effect: ${comment(meta.ignored ?? meta.alwaysIs?.because ?? 'it is accepted for compatibility')}. */\n  readonly ${quoted(option)}?: unknown`,
    )
  return [...known, ...without]
}

function moduleOf({ name, of, fieldsName, fieldsFile }: Module, properties: readonly string[], base?: string): string {
  return [
    '/** Written by `npm run docs` from the declarations of the options: change those. */',
    `import type { InputOptions } from '../../options/declaration.ts'`,
    `import type { ${fieldsName} } from '${fieldsFile}'`,
    ...(base === undefined ? [] : [`import type { ${base} } from './shared.ts'`]),
    '',
    `type Input = InputOptions<typeof ${fieldsName}>`,
    '',
    `/** Options of ${of} under all their names: in camelCase, and as Kafka spells them. */`,
    `export interface ${name}${base === undefined ? '' : ` extends ${base}`} {`,
    ...properties,
    '}',
  ].join('\n')
}

function property(spelling: string, option: string, field: AnyField): string {
  const { doc = '', default: standard, examples = [] } = field.meta
  const facts = [
    spelling === option ? doc : `The same as \`${option}\`. ${doc}`,
    ...(['string', 'number', 'boolean'].includes(typeof standard) ? [`Default: \`${standard as string}\`.`] : []),
    ...(examples.length === 0 ? [] : [`Example: \`${JSON.stringify(examples[0]).replaceAll('"', "'")}\`.`]),
  ]
  const type = typeOf(`Input['${option}']`, field)
  return `  /** ${comment(facts.join(' '))} */\n  readonly ${quoted(spelling)}?: ${type} | undefined`
}

/** What may be written: what is read, and texts that stand for it. @param base the type of what is read */
function typeOf(base: string, { type }: AnyField): string {
  const { schema, accepts = [], fields, written } = type
  if (fields !== undefined) {
    const parts = Object.entries(fields).map(([name, field]) => {
      const own = typeOf(`NonNullable<${base}>['${name}']`, field)
      return field.presence === 'required'
        ? `readonly ${quoted(name)}: ${own}`
        : `readonly ${quoted(name)}?: ${own} | undefined`
    })
    return `{ ${parts.join('; ')} }`
  }
  const texts = Array.isArray(schema['type']) && schema['type'].includes('string') ? ['string'] : []
  const numbers = accepts.filter((text) => /^-?\d+$/.test(text))
  return [base, ...texts, ...numbers, ...(written ?? [])].join(' | ')
}

function quoted(name: string): string {
  return /^[a-zA-Z_]\w*$/.test(name) ? name : `'${name}'`
}

function comment(text: string): string {
  return text.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ').trim()
}
