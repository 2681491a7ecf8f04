/**
 * JSON Schema of files of connectors, and of a single one. Recognises them as `shape.ts` does.
 */
import { KAFKA_SINK, KAFKA_SOURCE, SINKS, SOURCES } from '../../catalog.ts'
import type { Fields, JsonSchema } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { definitionOf, onlyNames, openSchema, optionsSchema, when } from '../options-schema.ts'
import { bridgeFields, brokerFields, fileFields, KAFKA_CONNECTORS, sinkFields, sourceFields } from './fields.ts'
import { kafkaSinkConfig } from './kafka-sink.ts'
import { kafkaSourceConfig } from './kafka-source.ts'

type Kind = 'source' | 'sink'

const KAFKA = { source: kafkaSourceConfig, sink: kafkaSinkConfig }
const CATALOGS = { source: SOURCES, sink: SINKS }

/** To stand under `definitions`, beside those of the catalog. */
export const connectorDefinitions: { readonly [name: string]: JsonSchema } = {
  'connector.kafka-source': openSchema(kafkaSourceConfig, definitionOf('connector.kafka-source')),
  'connector.kafka-sink': openSchema(kafkaSinkConfig, definitionOf('connector.kafka-sink')),
}

/** Names that a connector may have, with the options under its `config`. */
function connectors(
  kind: Kind,
): readonly { readonly names: readonly string[]; readonly at: string; readonly options: Fields }[] {
  return [
    { names: KAFKA_CONNECTORS[kind], at: `connector.kafka-${kind}`, options: KAFKA[kind] },
    ...CATALOGS[kind]
      .filter((entry) => entry !== KAFKA_SOURCE && entry !== KAFKA_SINK)
      .map(({ name, options }) => ({ names: [name], at: `${kind}.${name}`, options })),
  ]
}

/** An entry: its own options, and those of its connector under `config`. */
function entrySchema(kind: Kind, fields: Fields): JsonSchema {
  const all = connectors(kind)
  const choice = { enum: all.flatMap(({ names }) => names), description: fields['connector']?.meta.doc }
  const schema = openSchema(fields)
  return {
    ...schema,
    ...onlyNames(fields, ['$schema']),
    properties: { ...(schema['properties'] as object), connector: choice, type: choice },
    allOf: [
      ...((schema['allOf'] as readonly JsonSchema[] | undefined) ?? []),
      ...all.map(({ names, at, options }) => {
        const isRequired = Object.values(options).some(({ presence }) => presence === 'required')
        return when(
          {
            anyOf: ['connector', 'type'].map((name) => ({ required: [name], properties: { [name]: { enum: names } } })),
          },
          {
            properties: { config: { allOf: [{ $ref: definitionOf(at) }, onlyNames(options)] } },
            ...(isRequired ? { required: ['config'] } : {}),
          },
        )
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

/** What makes a single connector a sink. */
const isSink: JsonSchema = {
  anyOf: [
    { required: ['topics'] },
    { required: ['consumer_group'] },
    ...['connector', 'type'].map((name) => ({
      required: [name],
      properties: { [name]: { type: 'string', pattern: 'sink$|^stdout$' } },
    })),
  ],
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
      ...onlyNames(fileFields, ['$schema']),
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
