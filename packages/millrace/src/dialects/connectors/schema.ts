/**
 * JSON Schema of files of connectors, and of a single one. Recognises them as `shape.ts` does.
 */
import type { Fields, JsonSchema } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { definitionOf, onlyNames, openSchema, optionsSchema, when } from '../options-schema.ts'
import { bridgeFields, brokerFields, fileFields, sinkFields, sourceFields } from './fields.ts'
import { kafkaSinkConfig } from './kafka-sink.ts'
import { kafkaSourceConfig } from './kafka-source.ts'
import { CONNECTORS, namesOf, onlyConfigNames, onlyEntryNames, type Kind } from './kinds.ts'

/** To stand under `definitions`, beside those of the catalog. */
export const connectorDefinitions: { readonly [name: string]: JsonSchema } = {
  'connector.kafka-source': openSchema(kafkaSourceConfig, definitionOf('connector.kafka-source')),
  'connector.kafka-sink': openSchema(kafkaSinkConfig, definitionOf('connector.kafka-sink')),
}

/** An entry: its own options, and those of its connector under `config`. */
function entrySchema(kind: Kind, fields: Fields): JsonSchema {
  const all = CONNECTORS[kind]
  const choice = { enum: all.flatMap(({ names }) => names), description: fields['connector']?.meta.doc }
  const schema = openSchema(fields)
  return {
    ...schema,
    ...onlyNames(fields, ['$schema', 'http']),
    properties: { ...(schema['properties'] as object), connector: choice, type: choice },
    allOf: [
      ...((schema['allOf'] as readonly JsonSchema[] | undefined) ?? []),
      ...all.map(({ names, options, schema: at }) => {
        const isRequired = Object.values(options).some(({ presence }) => presence === 'required')
        return when(isNamed(names), {
          properties: { config: { allOf: [{ $ref: definitionOf(at) }, onlyNames(options)] } },
          ...(isRequired ? { required: ['config'] } : {}),
        })
      }),
    ],
  }
}

/** A single connector, which may say where its hub is. */
const alone = {
  broker: field
    .object(brokerFields)
    .optional()
    .doc(fileFields.broker.meta.doc ?? ''),
  name: fileFields.name,
}

/** What makes a single connector a sink, as `kindOf` decides it. */
const isSink: JsonSchema = {
  anyOf: [
    isNamed(namesOf('sink').filter((name) => !namesOf('source').includes(name))),
    {
      not: isNamed(namesOf('source').filter((name) => !namesOf('sink').includes(name))),
      anyOf: [
        ...hasOneOf(onlyEntryNames('sink')),
        ...CONNECTORS.sink.flatMap(({ names }) => {
          const options = onlyConfigNames('sink', names[0]!)
          return options.length === 0
            ? []
            : { ...isNamed(names), required: ['config'], properties: { config: { anyOf: hasOneOf(options) } } }
        }),
      ],
    },
  ],
}

/** A connector with one of these names. */
function isNamed(names: readonly string[]): JsonSchema {
  return {
    anyOf: ['connector', 'type'].map((name) => ({ required: [name], properties: { [name]: { enum: names } } })),
  }
}

function hasOneOf(names: readonly string[]): JsonSchema[] {
  return names.map((name) => ({ required: [name] }))
}

const isSingle: JsonSchema = {
  properties: { source: false, sink: false },
  allOf: [
    ['config', 'topics'],
    ['connector', 'type'],
  ].map((names) => ({ anyOf: names.map((name) => ({ required: [name] })) })),
}

export const isConnectors: JsonSchema = {
  anyOf: [...['sources', 'sinks', 'bridges', 'broker'].map((name) => ({ required: [name] })), isSingle],
}

export function connectorsSchema(): JsonSchema {
  const entries = (schema: JsonSchema, doc: string | undefined): JsonSchema => ({
    type: 'object',
    description: doc,
    additionalProperties: schema,
  })
  const bridge = optionsSchema(bridgeFields)
  const { sources, sinks, bridges } = fileFields
  return when(
    isSingle,
    when(
      isSink,
      entrySchema('sink', { ...sinkFields, ...alone }),
      entrySchema('source', { ...sourceFields, ...alone }),
    ),
    {
      ...openSchema(fileFields),
      propertyNames: {
        anyOf: [onlyNames(fileFields, ['$schema', 'http'])['propertyNames'] as JsonSchema, { pattern: '^x-' }],
      },
      properties: {
        ...(openSchema(fileFields)['properties'] as object),
        sources: entries(entrySchema('source', sourceFields), sources.meta.doc),
        sinks: entries(entrySchema('sink', sinkFields), sinks.meta.doc),
        bridges: entries(
          {
            ...bridge,
            properties: {
              ...(bridge['properties'] as object),
              source: entrySchema('source', bridgeFields.source.type.fields!),
              sink: entrySchema('sink', bridgeFields.sink.type.fields!),
            },
          },
          bridges.meta.doc,
        ),
      },
    },
  )
}
