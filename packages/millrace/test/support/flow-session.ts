/** A runtime's part against the command `materialize-kafka` in a process of its own. */
import { join } from 'node:path'
import { ConnectorProcess } from '../../../../demo/flow/connector-process.ts'
import { packTuple } from '../../../../demo/flow/tuples.ts'
import type { Codec } from '../../src/materialize/wire/frames.ts'
import type { MessageObject } from '../../src/materialize/wire/protobuf.ts'

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts')

export function startConnector(codec: Codec, environment: Readonly<Record<string, string>> = {}): ConnectorProcess {
  return new ConnectorProcess([process.execPath, MAIN, 'materialize-kafka'], codec, environment)
}

/** How key and values of a store request are written. */
export type StoreForm = 'packed' | 'arrays'

/** Both forms that runtimes use, in both codecs. Arrays are sent in JSON only. */
export const FORMS: readonly { readonly codec: Codec; readonly form: StoreForm }[] = [
  { codec: 'proto', form: 'packed' },
  { codec: 'json', form: 'packed' },
  { codec: 'json', form: 'arrays' },
]

export interface Stored {
  readonly binding?: number
  readonly key: readonly unknown[]
  readonly values: readonly unknown[]
  readonly doc?: unknown
  readonly delete?: true
}

export function storeRequest({ key, values, ...rest }: Stored, form: StoreForm): MessageObject {
  const fields =
    form === 'arrays'
      ? { key, values }
      : { keyPacked: packTuple(key).toString('base64'), valuesPacked: packTuple(values).toString('base64') }
  return { store: { ...rest, ...fields } }
}

/** Sends one transaction and waits until it is committed and acknowledged. @throws {Error} when the connector has ended */
export async function transact(
  connector: ConnectorProcess,
  documents: readonly Stored[],
  form: StoreForm,
): Promise<void> {
  await connector.call({ flush: {} })
  for (const document of documents) await connector.send(storeRequest(document, form))
  await connector.call({ startCommit: { runtimeCheckpoint: { sources: { a: { readThrough: '1' } } } } })
  await connector.call({ acknowledge: {} })
}

/** Opens a session, and acknowledges what came before it. */
export async function open(connector: ConnectorProcess, materialization: object): Promise<void> {
  await connector.call({ spec: { connectorType: 'LOCAL', config: {} } })
  await connector.call({
    open: { materialization, version: '1', range: { keyEnd: 4294967295, rClockEnd: 4294967295 }, state: {} },
  })
  await connector.call({ acknowledge: {} })
}
