/** Opens a session: the producer, and for each binding what makes records of its documents. */
import { ConfigError, ProtocolViolationError } from '../errors/index.ts'
import { parseEndpointConfig, parseResource } from './config.ts'
import { openProducer } from './kafka.ts'
import type { MaterializationBinding, OpenRequest } from './messages.ts'
import { recordFields } from './records/fields.ts'
import { JsonRecords } from './records/json-records.ts'
import { Transactor, type TransactorBinding } from './transactor.ts'

/** @throws {ConfigError} {ProtocolViolationError} */
export async function openTransactor({ materialization }: OpenRequest): Promise<Transactor> {
  if (materialization === undefined) throw new ProtocolViolationError('Cannot open a request without a materialization')
  const config = parseEndpointConfig(materialization.config)
  if (config.messageFormat === 'Avro')
    throw new ConfigError('Cannot materialize with message_format `Avro`: set it to `JSON`')
  const bindings = (materialization.bindings ?? []).map(transactorBinding)
  return new Transactor(await openProducer(config), bindings)
}

function transactorBinding(
  { resourceConfig, fieldSelection }: MaterializationBinding,
  index: number,
): TransactorBinding {
  const topic = parseResource(resourceConfig)
  if (fieldSelection === undefined)
    throw new ProtocolViolationError(`Cannot open binding ${index} as it has no field selection`)
  const fields = recordFields(fieldSelection, `binding ${index}`)
  return { topic, encoder: new JsonRecords(fields) }
}
