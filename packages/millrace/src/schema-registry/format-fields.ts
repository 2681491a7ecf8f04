/**
 * Options of sources and sinks about the schemas of their keys and values. Loads no client and no format, so that lint stays fast.
 */
import { isSchemaCodec, keyCodecNameOfClass, codecNameOfClass } from '../contracts/codec-names.ts'
import { problem, warning, type OptionProblem, type Options, type ValueType } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { isObject } from '../options/values.ts'
import { schemaRegistry } from './fields.ts'
import { SCHEMA_ID_LOCATIONS } from './wire-format.ts'
import { registryProblems } from './rules.ts'
import { SUBJECT_STRATEGIES, SUBJECT_STRATEGY_CLASSES, type SubjectStrategy } from './subjects.ts'

/** A schema in the options: text, or the name of a file that has it. */
export type WrittenSchema = { readonly file: string } | { readonly text: string }

const writtenSchema: ValueType<WrittenSchema> = {
  expected: 'the name of a file, or a schema as text or as an object',
  schema: { type: ['string', 'object', 'array'] },
  read(value, report) {
    if (isObject(value) || Array.isArray(value)) return { text: JSON.stringify(value) }
    if (typeof value === 'string' && value.trim() !== '')
      return /[{}"\n]/.test(value) ? { text: value } : { file: value.trim() }
    report({ expected: this.expected, found: value })
    return { text: '' }
  },
}

/** A schema that another one refers to. */
const schemaReference = field.object({
  name: field
    .string()
    .doc('What the schema calls it: a type in Avro, the file of an `import` in Protobuf, a `$ref` in JSON Schema.')
    .example('shop.Money'),
  subject: field.string().optional().doc('Its subject in the registry. By default its name.').example('money-value'),
  version: field.int({ min: 1 }).optional().doc('Its version in that subject. By default the latest one.'),
  schema: field
    .of(writtenSchema)
    .optional()
    .doc('The schema itself, as a file or inline: a sink registers it, and without a registry it is needed.')
    .example('money.avsc'),
})

const subjectStrategy: ValueType<SubjectStrategy> = {
  expected: `one of ${SUBJECT_STRATEGIES.join(', ')}, or the Java class of one of them`,
  schema: { type: 'string' },
  read(value, report) {
    const name = typeof value === 'string' ? value.trim().replace(/^.*\./, '') : ''
    const found = SUBJECT_STRATEGIES.find((one) => one === name) ?? SUBJECT_STRATEGY_CLASSES[name]
    if (found === undefined) report({ expected: this.expected, found: value })
    return found ?? 'topic'
  },
}

const REGISTRY = field
  .of(schemaRegistry)
  .optional()
  .kafka('schema.registry.url')
  .doc(
    'Schema registry of keys and values in Avro, Protobuf or JSON Schema: its address, or an object with credentials.',
  )
  .example('http://localhost:8081')

export const SOURCE_SCHEMA_FIELDS = {
  schemaRegistry: REGISTRY,
  valueSchema: field
    .of(writtenSchema)
    .optional()
    .doc(
      'Schema to read values with, as a file or inline: fields that a record lacks get their defaults, others are left out. By default the one that each record was written with. Without `schemaRegistry`, the schema of all values.',
    )
    .example('order.avsc'),
  valueReferences: field
    .list(schemaReference)
    .optional()
    .doc('Schemas that `valueSchema` refers to, each before those that refer to it.'),
  valueMessage: field.string().optional().doc('Message of `valueSchema` in Protobuf, if not the first one.'),
  keySchema: field.of(writtenSchema).optional().doc('The same as `valueSchema`, for keys.'),
  keyReferences: field.list(schemaReference).optional().doc('The same as `valueReferences`, for keys.'),
  keyMessage: field.string().optional().doc('Message of `keySchema` in Protobuf, if not the first one.'),
}

export const SINK_SCHEMA_FIELDS = {
  schemaRegistry: REGISTRY,
  valueSchema: field
    .of(writtenSchema)
    .optional()
    .doc(
      'Schema to write values with, as a file or inline; it is registered. By default the latest one of the subject.',
    )
    .example('order.avsc'),
  valueReferences: SOURCE_SCHEMA_FIELDS.valueReferences,
  valueMessage: field.string().optional().doc('Message of a Protobuf schema to write, if not the first one.'),
  valueSubject: field
    .string()
    .optional()
    .doc('Subject of the schema of values. By default the name of the topic and `-value`; see `subjectNameStrategy`.')
    .example('orders-value'),
  keySchema: field.of(writtenSchema).optional().doc('The same as `valueSchema`, for keys.'),
  keyReferences: SOURCE_SCHEMA_FIELDS.keyReferences,
  keyMessage: field.string().optional().doc('The same as `valueMessage`, for keys.'),
  keySubject: field.string().optional().doc('The same as `valueSubject`, for keys.'),
  subjectNameStrategy: field
    .of(subjectStrategy)
    .default('topic')
    .kafka('value.subject.name.strategy')
    .doc(
      'How subjects are named: `topic` (`orders-value`), `record` (`shop.Order`), `topic-record` (`orders-shop.Order`) or `topic-hash` (`orders-` and the XXH3 hash of the schema).',
    ),
  autoRegisterSchemas: field
    .boolean()
    .default(true)
    .kafka('auto.register.schemas')
    .doc('Whether `valueSchema` and `keySchema` are registered. With `false`, they must be in the registry already.'),
  normalizeSchemas: field
    .boolean()
    .default(false)
    .kafka('normalize.schemas')
    .doc('Whether the registry may normalize the schemas that are registered.'),
  schemaIdLocation: field
    .oneOf(SCHEMA_ID_LOCATIONS, {
      PrefixSchemaIdSerializer: 'prefix',
      HeaderSchemaIdSerializer: 'header',
      'io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer': 'prefix',
      'io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer': 'header',
    })
    .default('prefix')
    .kafka('value.schema.id.serializer')
    .doc(
      'Where schema ids are written: `prefix`, in front of the data, or `header`, the headers `__key_schema_id` and `__value_schema_id`. Sources find them in either place.',
    ),
}

export type SourceSchemaOptions = Options<typeof SOURCE_SCHEMA_FIELDS>
export type SinkSchemaOptions = Options<typeof SINK_SCHEMA_FIELDS>

/** A key or value: what its option is called, what it says, and what goes with it. */
interface Part {
  readonly part: 'key' | 'value'
  readonly codec: string | undefined
}

/** @param classes how keys and values are read or written, by the options that say so */
export function schemaProblems(
  options: SourceSchemaOptions & Partial<SinkSchemaOptions>,
  classes: { readonly key: string; readonly value: string },
  suffix: 'serializer' | 'deserializer',
): OptionProblem[] {
  const parts: readonly Part[] = [
    { part: 'value', codec: codecNameOfClass(classes.value) },
    { part: 'key', codec: keyCodecNameOfClass(classes.key) },
  ]
  const { schemaRegistry: registry } = options
  const ofRegistry = registry === undefined ? [] : registryProblems(registry).map(belowRegistry)
  const unused =
    registry !== undefined && !parts.some(({ codec }) => isSchemaCodec(codec))
      ? [
          warning(
            'schemaRegistry',
            `schemaRegistry has no effect, as neither keys nor values have schemas`,
            `set value.${suffix} to avro, protobuf or json-schema`,
          ),
        ]
      : []
  return [...ofRegistry, ...unused, ...parts.flatMap((part) => partProblems(options, part, suffix))]
}

function partProblems(
  options: SourceSchemaOptions & Partial<SinkSchemaOptions>,
  { part, codec }: Part,
  suffix: 'serializer' | 'deserializer',
): OptionProblem[] {
  const schema = options[`${part}Schema`]
  const given = ([`${part}Schema`, `${part}References`, `${part}Message`, `${part}Subject`] as const).find(
    (name) => options[name] !== undefined,
  )
  if (!isSchemaCodec(codec))
    return given === undefined
      ? []
      : [
          problem(
            given,
            `${given} has no effect, as ${part}.${suffix} is not a format with schemas`,
            `set ${part}.${suffix} to avro, protobuf or json-schema`,
          ),
        ]
  if (options.schemaRegistry === undefined && schema === undefined)
    return [
      problem(
        `${part}${suffix === 'serializer' ? 'Serializer' : 'Deserializer'}`,
        `${part}.${suffix} ${codec} requires a schema`,
        `set schemaRegistry, or ${part}Schema`,
      ),
    ]
  if (options[`${part}Message`] !== undefined && codec !== 'protobuf')
    return [problem(`${part}Message`, `${part}Message is for Protobuf: ${part}.${suffix} is ${codec}`, 'delete it')]
  const ofReferences = referenceProblems(options, part)
  if (ofReferences.length > 0) return ofReferences
  const strategy = options.subjectNameStrategy ?? 'topic'
  if (strategy !== 'topic' && schema === undefined && options[`${part}Subject`] === undefined)
    return [
      problem(
        'subjectNameStrategy',
        `The strategy ${strategy} takes the ${strategy === 'topic-hash' ? 'hash' : 'name of the record'} from ${part}Schema, which is not set`,
        `set ${part}Schema, or ${part}Subject`,
      ),
    ]
  return []
}

function belowRegistry(one: OptionProblem): OptionProblem {
  return { ...one, path: ['schemaRegistry', ...one.path] }
}

function referenceProblems(options: SourceSchemaOptions, part: 'key' | 'value'): OptionProblem[] {
  const option = `${part}References` as const
  const references = options[option] ?? []
  if (references.length > 0 && options[`${part}Schema`] === undefined)
    return [problem(option, `${option} has no effect without ${part}Schema`, `set ${part}Schema`)]
  return references.flatMap(({ name, schema, version }, i) => {
    const place = (text: string, suggestion: string): OptionProblem => ({
      ...problem(option, text, suggestion),
      path: [option, i],
    })
    if (schema === undefined && options.schemaRegistry === undefined)
      return [place(`The schema "${name}" is not there without a registry`, 'set schemaRegistry, or its schema')]
    if (schema !== undefined && version !== undefined)
      return [place(`Cannot use both schema and version of "${name}"`, 'delete one')]
    return []
  })
}
