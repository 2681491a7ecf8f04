/** A runtime's part: asks, validates, applies, opens, and sends transactions. */
import type {
  Constraint,
  FieldSelection,
  MaterializationBinding,
  Projection,
} from '../../packages/millrace/src/materialize/messages.ts'
import type { Codec } from '../../packages/millrace/src/materialize/wire/frames.ts'
import type { Task } from './catalogue.ts'
import { collectionSpec, sorted, valueOf } from './collection.ts'
import { ConnectorProcess } from './connector-process.ts'
import type { FixtureDocument, FixtureTransaction } from './fixture.ts'
import { packTuple } from './tuples.ts'

interface Validated {
  readonly validated: {
    readonly bindings?: readonly {
      readonly resourcePath: readonly string[]
      readonly projectionConstraints?: readonly { readonly field: string; readonly constraint: Constraint }[]
    }[]
  }
}

export class Runtime {
  readonly #task: Task
  readonly #command: readonly [string, ...string[]]
  readonly #codec: Codec
  #bindings: MaterializationBinding[] = []
  #session: ConnectorProcess | undefined
  #committed = 0

  constructor(task: Task, command: readonly [string, ...string[]], codec: Codec = task.codec) {
    this.#task = task
    this.#command = command
    this.#codec = codec
  }

  get #materialization(): object {
    return { name: this.#task.name, connectorType: 'LOCAL', config: this.#task.config, bindings: this.#bindings }
  }

  /** A process of its own, which is asked for its spec first. */
  async #start(): Promise<ConnectorProcess> {
    const connector = new ConnectorProcess(this.#command, this.#codec, { LOG_LEVEL: 'warn' })
    await connector.call({ spec: { connectorType: 'LOCAL', config: {} } })
    return connector
  }

  async #ask(request: Readonly<Record<string, unknown>>): Promise<unknown> {
    const connector = await this.#start()
    const response = await connector.call(request)
    await connector.end()
    return response
  }

  /** @returns the fields that are selected, by topic */
  async validate(): Promise<ReadonlyMap<string, FieldSelection>> {
    const { name, config, bindings } = this.#task
    const specs = bindings.map(({ collection }) => collectionSpec(collection))
    const request = bindings.map(({ resource }, i) => ({ resourceConfig: resource, collection: specs[i] }))
    const { validated } = (await this.#ask({
      validate: { name, connectorType: 'LOCAL', config, bindings: request },
    })) as Validated
    this.#bindings = (validated.bindings ?? []).map(({ resourcePath, projectionConstraints = [] }, i) => {
      const constraints = new Map(projectionConstraints.map(({ field, constraint }) => [field, constraint.type]))
      const { required, excluded } = bindings[i]!
      const isSelected = ({ field = '' }: Projection): boolean =>
        !excluded.includes(field) && (required.includes(field) || constraints.get(field) === 'LOCATION_RECOMMENDED')
      const fieldSelection = selectionOf(specs[i]!, isSelected)
      return {
        resourceConfig: bindings[i]!.resource,
        resourcePath,
        collection: specs[i]!,
        fieldSelection,
        deltaUpdates: true,
      }
    })
    return new Map(this.#bindings.map(({ resourcePath, fieldSelection }) => [resourcePath![0]!, fieldSelection!]))
  }

  /** @returns what was done */
  async apply(): Promise<string> {
    const { applied } = (await this.#ask({ apply: { materialization: this.#materialization, version: '1' } })) as {
      applied: { actionDescription?: string }
    }
    return applied.actionDescription ?? 'nothing to do'
  }

  async open(): Promise<void> {
    this.#session = await this.#start()
    const range = { keyEnd: 4294967295, rClockEnd: 4294967295 }
    await this.#session.call({ open: { materialization: this.#materialization, version: '1', range, state: {} } })
    await this.#session.call({ acknowledge: {} })
  }

  /** @returns the number of documents that were stored, after those with the same key were combined */
  async transact(transaction: FixtureTransaction): Promise<number> {
    const session = this.#session!
    await session.call({ flush: {} })
    let count = 0
    for (const [binding, { collection, fieldSelection }] of this.#bindings.entries()) {
      const documents = transaction.filter((document) => document.collection === collection?.name)
      for (const store of this.#stores(documents, collection?.projections ?? [], fieldSelection!)) {
        await session.send({ store: { ...(binding === 0 ? {} : { binding }), ...store } })
        count++
      }
    }
    const sources = { fixture: { readThrough: String(++this.#committed) } }
    await session.call({ startCommit: { runtimeCheckpoint: { sources } } })
    await session.call({ acknowledge: {} })
    return count
  }

  /** The last document of each key, by packed key. */
  *#stores(
    documents: readonly FixtureDocument[],
    projections: readonly Projection[],
    { keys = [], values = [], document: root }: FieldSelection,
  ): Generator<Record<string, unknown>> {
    const byField = new Map(projections.map((projection) => [projection.field, projection]))
    const valuesOf = (names: readonly string[], document: FixtureDocument): unknown[] =>
      names.map((name) => sorted(valueOf(byField.get(name)!, document)))
    const byKey = new Map(
      documents.map((document) => [packTuple(valuesOf(keys, document)).toString('hex'), document] as const),
    )
    for (const [hex, document] of [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const doc = root === undefined ? {} : { doc: sorted(document.document) }
      yield this.#codec === 'json'
        ? { key: valuesOf(keys, document), values: valuesOf(values, document), ...doc }
        : {
            keyPacked: Buffer.from(hex, 'hex').toString('base64'),
            valuesPacked: packTuple(valuesOf(values, document)).toString('base64'),
            ...doc,
          }
    }
  }

  /** Ends the session. @throws {Error} unless it ends well */
  async close(): Promise<void> {
    const ended = await this.#session?.end()
    if (ended !== undefined && ended.code !== 0)
      throw new Error(`The connector ended with ${ended.code}: ${ended.logs.at(-1)?.message ?? 'no log'}`)
  }
}

/** Keys in the order of the collection's key, values sorted by name, the root document apart. */
function selectionOf(
  { key, projections = [] }: ReturnType<typeof collectionSpec>,
  isSelected: (projection: Projection) => boolean,
): FieldSelection {
  const keys = key.map(
    (ptr) => projections.find((projection) => projection.ptr === ptr && projection.isPrimaryKey)?.field ?? ptr.slice(1),
  )
  const selected = projections.filter((projection) => isSelected(projection) && !keys.includes(projection.field ?? ''))
  const document = selected.find(({ ptr = '' }) => ptr === '')?.field
  return {
    keys,
    values: selected.filter(({ ptr = '' }) => ptr !== '').map(({ field }) => field ?? ''),
    ...(document === undefined ? {} : { document }),
  }
}
