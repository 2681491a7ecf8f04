/** Opens a session: the producer, and for each binding what makes records of its documents. */
import { ProtocolViolationError } from '../errors/index.ts'
import { type EndpointConfig, parseEndpointConfig, parseResource } from './config.ts'
import { openProducer } from './kafka.ts'
import { collectionOf, type MaterializationBinding, type MaterializationSpec, type OpenRequest } from './messages.ts'
import { type RecordFields, recordFields } from './records/fields.ts'
import { JsonRecords } from './records/json-records.ts'
import type { RecordEncoder } from './records/record-encoder.ts'
import { requireRegistry } from './registry.ts'
import { Transactor } from './transactor.ts'

interface OpenBinding {
  readonly topic: string
  readonly fields: RecordFields
  readonly spec: MaterializationBinding
  readonly place: string
}

/** @throws {ConfigError} {ProtocolViolationError} */
export async function openTransactor({ materialization }: OpenRequest): Promise<Transactor> {
  if (materialization === undefined) throw new ProtocolViolationError('Cannot open a request without a materialization')
  const config = parseEndpointConfig(materialization.config)
  requireRegistry(config)
  const bindings = (materialization.bindings ?? []).map(openBinding)
  const encoders = await encodersOf(config, materialization, bindings)
  return new Transactor(
    await openProducer(config),
    bindings.map(({ topic }) => topic),
    encoders,
  )
}

function openBinding(spec: MaterializationBinding, index: number): OpenBinding {
  const place = `binding ${index}`
  if (spec.fieldSelection === undefined)
    throw new ProtocolViolationError(`Cannot open ${place} as it has no field selection`)
  return { topic: parseResource(spec.resourceConfig), fields: recordFields(spec.fieldSelection, place), spec, place }
}

/** What makes the encoders once the session is open: only then are schemas registered, as the original does it. */
async function encodersOf(
  { messageFormat, schemaRegistry }: EndpointConfig,
  { linkedCollections = [] }: MaterializationSpec,
  bindings: readonly OpenBinding[],
): Promise<() => Promise<RecordEncoder[]>> {
  if (messageFormat === 'JSON' || schemaRegistry === undefined)
    return async () => bindings.map(({ fields }) => new JsonRecords(fields))
  const [{ bindingSchemas }, { registerAvro }] = await Promise.all([
    import('./avro/schema.ts'),
    import('./avro/avro-records.ts'),
  ])
  const described = bindings.map(({ topic, fields, spec, place }) => {
    const collection = collectionOf(spec, linkedCollections)
    if (collection === undefined)
      throw new ProtocolViolationError(
        `Cannot open ${place} as it has no collection: a runtime that lists collections once (linkedCollections) must send JSON, with FLOW_RUNTIME_CODEC=json`,
      )
    return { topic, fields, schemas: bindingSchemas(collection, fields, place) }
  })
  return () => registerAvro(schemaRegistry, described)
}
